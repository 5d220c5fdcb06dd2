extension ServiceClient.Answer {
    /// Whether the answer differs from an earlier one, leaving out the slots that go to new items by chance.
    package func differs(from earlier: ServiceClient.Answer, inScores: Bool) -> Bool {
        // Such a slot pushes the last item out.
        let own = items.filter { $0.exploration != true }, other = earlier.items.filter { $0.exploration != true }
        return zip(own, other).contains { $0.item_id != $1.item_id || (inScores && $0.score != $1.score) }
            || items.isEmpty != earlier.items.isEmpty
    }
}
