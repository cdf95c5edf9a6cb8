//! Room `domain`, tests: every order of some things.
//!
//! In: a few things. Out: each of their orders, once. Deliberately not here: more than eight of them, which would take
//! hours.

/// Calls `visit` with each order of `things`, by Heap's method; how many there were.
pub(crate) fn each_order<T: Clone>(things: &[T], visit: &mut dyn FnMut(&[T])) -> u32 {
    fn heap<T: Clone>(k: usize, things: &mut Vec<T>, visit: &mut dyn FnMut(&[T])) -> u32 {
        if k <= 1 {
            visit(things);
            return 1;
        }
        let mut seen = 0;
        for index in 0..k {
            seen += heap(k - 1, things, visit);
            things.swap(if k.is_multiple_of(2) { index } else { 0 }, k - 1);
        }
        seen
    }
    assert!(things.len() <= 8, "too many to try them all");
    heap(things.len(), &mut things.to_vec(), visit)
}

/// The orders are all there and all different.
#[test]
fn orders_are_complete() {
    let mut seen = std::collections::BTreeSet::new();
    assert_eq!(
        each_order(&[1, 2, 3, 4, 5], &mut |order| assert!(
            seen.insert(order.to_vec())
        )),
        120
    );
}
