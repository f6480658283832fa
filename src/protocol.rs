//! The types on the wire: requests, responses and errors.
//!
//! Everything here is plain data with a stable JSON format. Times are nanoseconds in fields that end in `_ns`,
//! milliseconds in `_ms`; sizes are bytes in `_bytes` and mebibytes in `_mb`.

mod error;
mod nanoseconds;
mod nearest;
mod request;
mod response;
mod summary;

pub use error::{Error, Problem};
pub use nanoseconds::{Nanoseconds, whole_ns};
pub use nearest::nearest;
pub(crate) use request::shortened;
pub use request::{MAX_BODY_BYTES, Request, Selection, Shape, Size, SizeName};
pub use response::{
    AnswerWarning, AnswerWarningKind, Architecture, Build, Catalogue, CatalogueEntry, Clock, DefaultRequest,
    Environment, Function, HeapUse, Host, Memory, Response, SCHEMA, Sample, Sizes, Status,
};
pub use summary::{Summary, quantile};
