//! The types on the wire: requests, responses and errors.
//!
//! Everything here is plain data with a stable JSON format. Times are nanoseconds in fields that end in `_ns`,
//! milliseconds in `_ms`; sizes are bytes in `_bytes` and mebibytes in `_mb`.

/// Displays variants by their names on the wire.
macro_rules! display_as_serialized {
    ($($name:ty),*) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                serde::Serialize::serialize(self, f)
            }
        }
    )*};
}

#[cfg(feature = "cli")]
pub(crate) use display_as_serialized;

pub mod control_characters;
mod error;
mod nanoseconds;
mod nearest;
mod repeated;
mod request;
mod response;
mod summary;

pub use error::{Error, Problem};
pub use nanoseconds::{Nanoseconds, whole_ns};
pub use nearest::nearest;
pub(crate) use request::shortened;
pub use request::{CensusRequest, MAX_BODY_BYTES, Request, Selection, ServiceRequest, Shape, Size, SizeName};
pub use response::{
    Architecture, Build, Catalogue, CatalogueEntry, Clock, DefaultRequest, Environment, Function, HeapUse, Host,
    Implementation, Memory, Response, SCHEMA, Sample, SampleWarning, SampleWarningKind, Sizes, Status, Vectorization,
};
pub use summary::{Summary, quantile};

display_as_serialized!(Architecture, Implementation, Shape, SizeName, Status, Vectorization);
