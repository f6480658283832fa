//! Finding words in a text by trying every position, for contrast with `string/search`.
//!
//! Same text, same words, same places: the checksums of the two are equal at equal size and seed.

use super::{documents::Matches, search::Haystack};
use crate::workload::{Implementation, Routine, Sizes, Vectorization, Workload, checksum_of};

pub const WORKLOAD: Workload = Workload {
    name: "string/search-naive",
    implementation: Implementation::Naive,
    vectorization: Vectorization::Scalar,
    summary: "finds frequent, rare and absent words in a text by trying every position",
    stresses: "branches: one or two for every byte of the text, most of them easy to predict",
    difference: "a loop of few instructions without vectors: how many instructions and taken branches a core does \
                 in a cycle",
    source: "D. E. Knuth, J. H. Morris and V. R. Pratt, Fast Pattern Matching in Strings, SIAM J. Comput. 6 (1977), \
             where it is the method to improve on",
    element: "one word of the text",
    time: "O(n)",
    memory: "up to 6 n bytes + 2 MiB",
    sizes: Sizes { small: 7_000, medium: 220_000, large: 7_000_000 },
    in_place: false,
    buffer_bytes: Haystack::buffer_bytes,
    prepare: |params| Box::new(SearchNaive { haystack: Haystack::new(params), found: Vec::new() }),
};

struct SearchNaive {
    haystack: Haystack,
    found: Vec<Matches>,
}

impl Routine for SearchNaive {
    fn run(&mut self) {
        let Self { haystack, found } = self;
        found.clear();
        let places = |needle: &[u8]| haystack.tally(needle.len(), |text| places(text, needle));
        found.extend(haystack.needles.iter().map(|needle| places(needle)));
    }

    fn checksum(&self) -> u64 {
        checksum_of(self.found.iter().map(|tally| tally.to_le_bytes()))
    }
}

/// Where `needle` stands in `text`, from left to right, without overlaps.
fn places<'a>(text: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let mut position = 0;
    std::iter::from_fn(move || {
        while position + needle.len() <= text.len() {
            let here = position;
            if text[here..].iter().zip(needle).all(|(byte, wanted)| byte == wanted) {
                position += needle.len();
                return Some(here);
            }
            position += 1;
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Params, string::search, tests::checksum};
    use memchr::memmem;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_the_library_and_std_find(text in "[ab]{0,80}", needle in "[ab]{1,4}") {
            let found: Vec<_> = places(text.as_bytes(), needle.as_bytes()).collect();
            let library: Vec<_> = memmem::find_iter(text.as_bytes(), &needle).collect();
            let std: Vec<_> = text.match_indices(&needle).map(|(position, _)| position).collect();
            prop_assert_eq!(&found, &library);
            prop_assert_eq!(&found, &std);
        }
    }

    #[test]
    fn checksums_are_those_of_the_library() {
        for (elements, seed) in [(1, 0), (2, 7), (5000, 1), (140_000, 2)] {
            let params = Params::random(elements, seed);
            assert_eq!(checksum(&WORKLOAD, &params), checksum(&search::WORKLOAD, &params), "{elements} words");
        }
    }
}
