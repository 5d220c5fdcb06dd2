/// An array in pages, so that a copy that differs in a few elements shares all other pages with its original.
///
/// Reading is O(1). Changing an element of a copy costs one page and the list of pages.
struct PagedArray<Element: Sendable>: Sendable {
    private static var pageShift: Int { 8 }
    private static var pageMask: Int { 255 }

    private var pages: [[Element]] = []
    private(set) var count = 0

    init() {}

    init(_ elements: [Element]) {
        pages.reserveCapacity(elements.count >> Self.pageShift + 1)
        for start in stride(from: 0, to: elements.count, by: Self.pageMask + 1) {
            pages.append(Array(elements[start..<min(start + Self.pageMask + 1, elements.count)]))
        }
        count = elements.count
    }

    subscript(index: Int) -> Element {
        get { pages[index >> Self.pageShift][index & Self.pageMask] }
        set { pages[index >> Self.pageShift][index & Self.pageMask] = newValue }
    }

    mutating func append(_ element: Element) {
        if count & Self.pageMask == 0 {
            pages.append([])
            pages[pages.count - 1].reserveCapacity(Self.pageMask + 1)
        }
        pages[pages.count - 1].append(element)
        count += 1
    }
}
