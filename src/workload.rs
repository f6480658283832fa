//! The workloads: pure, seeded, and equal on every architecture.
//!
//! A workload is one file below this folder and one line in [`ALL`]. It turns [`Params`] into a
//! [`Routine`]: making the input is [`Workload::prepare`], outside every timed region; what is
//! timed is [`Routine::run`] alone.
//!
//! Equal work is proven by the checksum: it may depend on integer arithmetic and on IEEE
//! + − × ÷ √ only, never on a platform's mathematics library, on addresses or on hashing order.

mod input;
mod math;
mod sorting;
mod string;

use crate::protocol::{Catalogue, CatalogueEntry, Error, SCHEMA, Selection, Size, SizeName, Sizes, nearest, shortened};
use std::fmt;

/// Every workload, sorted by name.
pub static ALL: [Workload; 6] = [
    math::matmul::WORKLOAD,
    math::primes::WORKLOAD,
    sorting::quicksort::WORKLOAD,
    sorting::std_unstable::WORKLOAD,
    string::levenshtein::WORKLOAD,
    string::word_count::WORKLOAD,
];

/// A kernel with everything that a reader has to know to interpret its times.
#[derive(Debug)]
pub struct Workload {
    /// `category/name`, unique.
    pub name: &'static str,
    /// The part of the name before the slash.
    pub category: Category,
    /// What it does.
    pub summary: &'static str,
    /// What part of a machine it stresses.
    pub stresses: &'static str,
    /// What one element of its size is.
    pub element: &'static str,
    /// The elements of its three sizes.
    pub sizes: Sizes,
    /// The bytes of its buffers at a number of elements: an upper bound, input included, that
    /// grows with the elements and saturates instead of overflowing.
    pub buffer_bytes: fn(elements: u64) -> u64,
    /// Makes the input and everything else that is not timed.
    pub prepare: fn(&Params) -> Box<dyn Routine>,
}

/// The families of workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Ordering keys in memory.
    Sorting,
    /// Integer and floating-point arithmetic.
    Math,
    /// Text.
    String,
}

impl Category {
    /// All categories.
    pub const ALL: [Self; 3] = [Self::Sorting, Self::Math, Self::String];

    /// The category's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sorting => "sorting",
            Self::Math => "math",
            Self::String => "string",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a routine is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// The size of the input, at least 1, in the workload's own unit.
    pub elements: u64,
    /// The seed of the input generator.
    pub seed: u64,
}

impl Params {
    /// The elements as a length in memory.
    ///
    /// # Panics
    /// Where the machine cannot address as much, which the memory check refuses beforehand.
    fn len(&self) -> usize {
        usize::try_from(self.elements).expect("the memory check bounds the number of elements")
    }
}

/// A prepared workload.
pub trait Routine {
    /// Brings the input back to what it was before [`Routine::run`] changed it. Not timed.
    fn restore(&mut self) {}

    /// Does the work: the one call that is timed.
    fn run(&mut self);

    /// The checksum of what [`Routine::run`] left behind. Not timed.
    fn checksum(&self) -> u64;
}

impl Workload {
    /// The number of elements that `size` means for this workload.
    pub fn elements(&self, size: Size) -> u64 {
        match size {
            Size::Named(SizeName::Small) => self.sizes.small,
            Size::Named(SizeName::Medium) => self.sizes.medium,
            Size::Named(SizeName::Large) => self.sizes.large,
            Size::Elements(elements) => elements,
        }
    }

    /// The most heap it has in use at a number of elements, in bytes: its buffers, and a page for
    /// the routine itself.
    pub fn memory_bytes(&self, elements: u64) -> u64 {
        (self.buffer_bytes)(elements).saturating_add(4096)
    }

    /// The largest number of elements whose memory need is at most `bytes`, or 0.
    pub fn largest_within(&self, bytes: u64) -> u64 {
        let (mut fits, mut too_large) = (0, u64::MAX);
        while too_large - fits > 1 {
            let middle = fits + (too_large - fits) / 2;
            if self.memory_bytes(middle) <= bytes {
                fits = middle;
            } else {
                too_large = middle;
            }
        }
        fits
    }
}

/// The workloads that a selection names, each once, in the order of [`ALL`].
///
/// # Errors
/// [`Error::InvalidRequest`] for a selector that is neither a category nor a name.
pub fn select(selection: &Selection) -> Result<Vec<&'static Workload>, Error> {
    let Selection::Some(selectors) = selection else {
        return Ok(ALL.iter().collect());
    };
    for (index, selector) in selectors.iter().enumerate() {
        if !ALL.iter().any(|workload| matches(workload, selector)) {
            return Err(unknown(&format!("workloads[{index}]"), selector));
        }
    }
    Ok(ALL.iter().filter(|workload| selectors.iter().any(|selector| matches(workload, selector))).collect())
}

fn matches(workload: &Workload, selector: &str) -> bool {
    workload.name == selector || workload.category.as_str() == selector
}

fn unknown(field: &str, selector: &str) -> Error {
    let names = ALL.iter().map(|workload| workload.name);
    let short_names = names.clone().filter_map(|name| name.split('/').nth(1));
    let candidates = Category::ALL.into_iter().map(Category::as_str).chain(names.clone());
    let meant = nearest(selector, candidates).map(str::to_owned).or_else(|| {
        let short = nearest(selector, short_names)?;
        names.clone().find(|name| name.ends_with(&format!("/{short}"))).map(str::to_owned)
    });
    let hint = match meant {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => format!("the workloads are {}", names.collect::<Vec<_>>().join(", ")),
    };
    Error::invalid(field, format!("unknown workload \"{}\"; {hint}", shortened(selector)))
}

/// The catalogue of all workloads.
pub fn catalogue() -> Catalogue {
    Catalogue { schema: SCHEMA, workloads: ALL.iter().map(CatalogueEntry::from).collect() }
}

impl From<&Workload> for CatalogueEntry {
    fn from(workload: &Workload) -> Self {
        let Sizes { small, medium, large } = workload.sizes;
        let memory = |elements| workload.memory_bytes(elements);
        Self {
            name: workload.name.to_owned(),
            category: workload.category.to_string(),
            summary: workload.summary.to_owned(),
            stresses: workload.stresses.to_owned(),
            element: workload.element.to_owned(),
            sizes: workload.sizes,
            memory_bytes: Sizes { small: memory(small), medium: memory(medium), large: memory(large) },
        }
    }
}

/// A 64-bit checksum of bytes; the same on every architecture for the same bytes.
fn checksum_of(chunks: impl IntoIterator<Item = impl AsRef<[u8]>>) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    for chunk in chunks {
        hasher.update(chunk.as_ref());
    }
    hasher.digest()
}

#[cfg(test)]
mod tests;
