//! The workloads: pure, seeded, and equal on every architecture.
//!
//! A workload is one file below this folder and one line in [`ALL`]. It turns [`Params`] into a
//! [`Routine`]: making the input is [`Workload::prepare`], outside every timed region; what is
//! timed is [`Routine::run`] alone.
//!
//! Equal work is proven by the checksum: it may depend on integer arithmetic and on IEEE
//! + − × ÷ √ only, never on a platform's mathematics library, on addresses or on hashing order.

pub mod input;
pub mod limits;
mod math;
mod sorting;
// Public so that benches/rivals can use the same input.
#[doc(hidden)]
pub mod string;

use crate::protocol::{
    Catalogue, CatalogueEntry, DefaultRequest, Error, Implementation, SCHEMA, Selection, Shape, Size, SizeName, Sizes,
    Vectorization, nearest, shortened,
};
use limits::Pace;

/// Every workload, sorted by name.
pub static ALL: [Workload; 27] = [
    math::ed25519::WORKLOAD,
    math::fft::WORKLOAD,
    math::mandelbrot::WORKLOAD,
    math::matmul::WORKLOAD,
    math::matmul_tuned::WORKLOAD,
    math::modpow::WORKLOAD,
    math::monte_carlo::WORKLOAD,
    math::nbody::WORKLOAD,
    math::primes::WORKLOAD,
    sorting::heapsort::WORKLOAD,
    sorting::mergesort::WORKLOAD,
    sorting::quicksort::WORKLOAD,
    sorting::radix::WORKLOAD,
    sorting::std_stable_strings::WORKLOAD,
    sorting::std_unstable::WORKLOAD,
    string::base64::WORKLOAD,
    string::csv::WORKLOAD,
    string::gunzip::WORKLOAD,
    string::gzip::WORKLOAD,
    string::json::WORKLOAD,
    string::levenshtein::WORKLOAD,
    string::regex::WORKLOAD,
    string::search::WORKLOAD,
    string::search_naive::WORKLOAD,
    string::sha256::WORKLOAD,
    string::utf8::WORKLOAD,
    string::word_count::WORKLOAD,
];

/// A kernel with everything that is needed to interpret its times: see [`CatalogueEntry`] for what is not described
/// here.
#[derive(Debug)]
pub struct Workload {
    /// `category/name`, unique.
    pub name: &'static str,
    pub implementation: Implementation,
    pub vectorization: Vectorization,
    pub summary: &'static str,
    pub stresses: &'static str,
    pub difference: &'static str,
    pub source: &'static str,
    pub element: &'static str,
    pub time: &'static str,
    pub memory: &'static str,
    pub sizes: Sizes,
    /// Whether a run destroys its input, so that [`Routine::restore`] must come before the next run.
    pub in_place: bool,
    /// The bytes of its buffers at a number of elements: an upper bound, input included, that
    /// never shrinks as the elements grow and saturates instead of overflowing.
    pub buffer_bytes: fn(elements: u64) -> u64,
    /// Makes the input and everything else that is not timed.
    pub prepare: fn(&Params) -> Box<dyn Routine>,
}

/// The parameters of a routine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// The size of the input, at least 1, in the workload's own unit.
    pub elements: u64,
    /// The seed of the input generator.
    pub seed: u64,
    /// The order of the input, for the workloads to which it matters.
    pub shape: Shape,
}

impl Params {
    /// The elements as a length in memory.
    ///
    /// # Panics
    /// When the machine cannot address that many, which the memory check refuses beforehand.
    fn len(&self) -> usize {
        usize::try_from(self.elements).expect("the memory check bounds the number of elements")
    }
}

/// A prepared workload.
pub trait Routine {
    /// Restores the input that [`Routine::run`] changes. Not timed; called before every run of a workload that is
    /// [`in_place`](Workload::in_place), and before the first run of the others.
    fn restore(&mut self) {}

    /// Does the work: the one call that is timed.
    fn run(&mut self);

    /// The checksum of the result of [`Routine::run`]. Not timed.
    fn checksum(&self) -> u64;

    /// The instructions that the kernel's library chooses on this CPU, if it chooses any.
    fn code_path(&self) -> Option<&'static str> {
        None
    }
}

impl Workload {
    /// The family of the workload: `sorting`, `math` or `string`.
    pub fn category(&self) -> &'static str {
        self.name.split_once('/').expect("a name has a category").0
    }

    /// Whether the order of its input, [`Params::shape`], matters.
    pub fn has_shapes(&self) -> bool {
        self.category() == "sorting"
    }

    /// The number of elements that `size` means for this workload.
    pub fn elements(&self, size: Size) -> u64 {
        match size {
            Size::Named(SizeName::Small) => self.sizes.small,
            Size::Named(SizeName::Medium) => self.sizes.medium,
            Size::Named(SizeName::Large) => self.sizes.large,
            Size::Elements(elements) => elements,
        }
    }

    /// The peak heap use at a number of elements, in bytes: its buffers, and a page for the routine itself.
    pub fn memory_bytes(&self, elements: u64) -> u64 {
        (self.buffer_bytes)(elements).saturating_add(4096)
    }

    /// The largest number of elements whose memory need is at most `bytes`, or 0.
    pub fn largest_within(&self, bytes: u64) -> u64 {
        if self.memory_bytes(u64::MAX) <= bytes {
            return u64::MAX;
        }
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

/// Refuses a shape that matters to none of `workloads`.
///
/// # Errors
/// [`Error::InvalidRequest`].
pub fn check_shape(workloads: &[&Workload], shape: Shape) -> Result<(), Error> {
    if shape == Shape::Random || workloads.iter().any(|workload| workload.has_shapes()) {
        return Ok(());
    }
    let detail = format!("\"shape\" is \"{shape}\", but only sorting has shapes; leave it out or select \"sorting\"");
    Err(Error::invalid("shape", detail))
}

fn matches(workload: &Workload, selector: &str) -> bool {
    workload.name == selector || workload.category() == selector
}

fn unknown(field: &str, selector: &str) -> Error {
    let names = ALL.iter().map(|workload| workload.name);
    let short_names = names.clone().filter_map(|name| name.split('/').nth(1));
    let candidates = ALL.iter().map(Workload::category).chain(names.clone());
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

/// The default request finishes within this time on a function of one vCPU; `benches/calibration`
/// prints how long it takes.
const DEFAULT_REQUEST: DefaultRequest = DefaultRequest { memory_mb: 1769, finishes_within_s: 25 };

/// The catalogue of `workloads`.
pub fn catalogue(workloads: impl IntoIterator<Item = &'static Workload>) -> Catalogue {
    Catalogue {
        schema: SCHEMA,
        default_request: DEFAULT_REQUEST,
        workloads: workloads.into_iter().map(CatalogueEntry::from).collect(),
    }
}

impl From<&Workload> for CatalogueEntry {
    fn from(workload: &Workload) -> Self {
        let Sizes { small, medium, large } = workload.sizes;
        let memory = |elements| workload.memory_bytes(elements);
        Self {
            name: workload.name.to_owned(),
            category: workload.category().to_owned(),
            implementation: workload.implementation,
            vectorization: workload.vectorization,
            summary: workload.summary.to_owned(),
            stresses: workload.stresses.to_owned(),
            difference: workload.difference.to_owned(),
            source: workload.source.to_owned(),
            element: workload.element.to_owned(),
            time: workload.time.to_owned(),
            memory: workload.memory.to_owned(),
            shapes: workload.has_shapes(),
            sizes: workload.sizes,
            memory_bytes: Sizes { small: memory(small), medium: memory(medium), large: memory(large) },
        }
    }
}

/// A 64-bit checksum of bytes, which is the same on every architecture.
pub fn checksum_of(chunks: impl IntoIterator<Item = impl AsRef<[u8]>>) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    let mut pace = Pace::every(64);
    for chunk in chunks {
        for block in chunk.as_ref().chunks(limits::BLOCK) {
            pace.step();
            hasher.update(block);
        }
    }
    hasher.digest()
}

#[cfg(test)]
mod tests;
