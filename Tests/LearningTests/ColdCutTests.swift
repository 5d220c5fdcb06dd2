import ContentModel
import Interactions
import Learning
import Recommending
import Tensors
import Testing
import TowerModel
import TowerTraining
import TrainingFiles

@Suite("Items treated as if they were to arrive later")
struct ColdCutTests {
    private static let log: TrainingLog = {
        var log = PlantedLog.tastes(users: 40, events: 20, items: 40)
        for item in log.contents.indices { log.contents[item].attributes = ["next=\(PlantedLog.item((item + 1) % 40))", "colour=red"] }
        return log
    }()

    @Test("what is cut out is in no history, and what was taken of it is asked")
    func cut() {
        var whole = Self.log
        whole.amounts = Column((0..<whole.count).map { Int64($0) })
        let cut = ColdCut(whole, percent: 25, newest: false, seed: 1, links: [])
        #expect(cut.isNew.count { $0 } == 10 && cut.log.itemIDs == whole.itemIDs && cut.log.userStarts.last == cut.log.count)
        #expect(cut.log.isConsistent)
        for row in 0..<cut.log.count {
            #expect(!cut.isNew[Int(cut.log.items[row])])
            // What was paid stays with the row.
            #expect(whole.items[Int(cut.log.amounts[row])] == cut.log.items[row])
        }
        var held = 0
        for question in cut.questions {
            let kept = Set(cut.log.rows(of: question.user).map { cut.log.items[$0] })
            let taken = Set(whole.rows(of: question.user).map { whole.items[$0] })
            #expect(Set(question.new) == taken.filter { cut.isNew[Int($0)] } && Set(question.new).count == question.new.count)
            #expect(question.old.allSatisfy { !kept.contains($0) && !cut.isNew[Int($0)] && taken.contains($0) })
            #expect(kept.union(question.old).union(question.new) == taken)
            held += question.old.count
        }
        // About a tenth of six hundred.
        #expect(held > 20 && held < 100, "\(held)")
        #expect(ColdCut(whole, percent: 25, newest: false, seed: 1, links: []).isNew == cut.isNew)
        #expect(ColdCut(whole, percent: 25, newest: false, seed: 2, links: []).isNew != cut.isNew)
    }

    @Test("the newest items are those published last")
    func newest() {
        let cut = ColdCut(Self.log, percent: 10, newest: true, seed: 1, links: [])
        #expect(cut.isNew.indices.filter { cut.isNew[$0] } == [36, 37, 38, 39])
    }

    @Test("known items do not link to what is yet to come")
    func links() {
        let cut = ColdCut(Self.log, percent: 25, newest: false, seed: 1, links: ["next"])
        for item in cut.isNew.indices {
            let isHidden = !cut.isNew[item] && cut.isNew[(item + 1) % 40]
            #expect(cut.log.contents[item].attributes.contains { $0.hasPrefix("next=") } == !isHidden)
            #expect(cut.log.contents[item].attributes.contains("colour=red"))
        }
    }

    @Test("contestants rank new items, and none of them knows who took them; what tells a taste is found")
    func contestants() throws {
        let whole = Self.log, cut = ColdCut(whole, percent: 25, newest: false, seed: 1, links: [])
        let model = try SmallSettings.model(cut.log, [("epochs", "3"), ("id_dropout", "0.3")])
        let training = ContentTraining(log: cut.log, settings: SmallSettings.learning().content)
        let learning = training.learning(cut.log.userIDs.indices.map { cut.log.rows(of: $0) })
        var bundle = ModelBundle(model)
        bundle.channel = learning.channel
        let contestants = ColdContestants(
            cut: cut, bundle: bundle, sparseWeights: ContentChannel.defaultWeights, learning: learning,
            settings: SmallSettings.learning(excludes: [InteractionType.click.rawValue]), threads: 1)
        let new = Set(cut.isNew.indices.filter { cut.isNew[$0] }.map { Int32($0) })
        #expect(Set(contestants.newRows) == new)
        var hits: [ColdContestants.Key: Int] = [:], popular: [Int32]?
        for question in cut.questions {
            let lists = contestants.lists(5, of: question), had = Set(cut.log.rows(of: question.user).map { cut.log.items[$0] })
            #expect(Set(lists.keys) == Set(ColdContestants.Key.allCases))
            for (key, list) in lists {
                #expect(list.count == 5 && Set(list).count == 5 && new.isSuperset(of: list), "\(key)")
                if let best = list.first, Int(best) / 20 == question.user % 2 { hits[key, default: 0] += 1 }
            }
            popular = popular ?? lists[.popularity]
            #expect(lists[.popularity] == popular, "the same list for all")
            // Beside others stand the new items and those that the model knows, without what the user has.
            let mixed = contestants.mixed(20, of: question)
            #expect(Set(mixed).isDisjoint(with: had) && mixed.count == min(20, 40 - had.count))
        }
        for key in [ColdContestants.Key.freshet, .cosine, .category] {
            #expect(hits[key] ?? 0 > cut.questions.count * 3 / 4, "\(key) finds \(hits[key] ?? 0) of \(cut.questions.count) tastes")
        }
    }
}
