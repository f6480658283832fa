//! The documented errors of the service, each with a stable name.

use serde::{Deserialize, Serialize};

/// The reason why a request was not answered with measurements.
///
/// The variant's name is the stable `errorType` of a direct invocation and the last part of the `type` of an HTTP
/// problem; `detail` tells the caller how to fix the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not JSON, a wrong type, an unknown field or selector, or a value out of bounds.
    #[error("{detail}")]
    InvalidRequest {
        /// The field at fault, such as `iterations` or `workloads[1]`.
        field: Option<String>,
        /// What is wrong, with the value, and how to fix it.
        detail: String,
    },
    /// No such route on this function.
    #[error("{detail}")]
    NotFound {
        /// The requested path and the routes that exist.
        detail: String,
    },
    /// The route exists, but not for this method.
    #[error("{method} is not allowed on {path}; use {allow}")]
    MethodNotAllowed {
        method: String,
        path: String,
        /// The method that is allowed, as in the `Allow` header.
        allow: &'static str,
    },
    /// The body, or the memory that the size needs, is too large for the function.
    #[error("{detail}")]
    InputTooLarge {
        /// The field at fault; `None` for the body as a whole.
        field: Option<String>,
        /// Both numbers, and what would fit.
        detail: String,
    },
    /// Not one iteration fits before the deadline minus the safety margin.
    #[error("{detail}")]
    DeadlineTooShort {
        /// The available time and how to get more.
        detail: String,
    },
    /// A bug in the service: the log has the cause under the same request id.
    #[error("internal error; the log has the cause under request id {request_id}")]
    Internal {
        /// The id to look for in the log.
        request_id: String,
    },
}

impl Error {
    /// An [`Error::InvalidRequest`] at `field`.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::InvalidRequest { field: Some(field.into()), detail: detail.into() }
    }

    /// An [`Error::InvalidRequest`] that concerns the request as a whole.
    pub fn invalid_as_a_whole(detail: String) -> Self {
        Self::InvalidRequest { field: None, detail }
    }

    /// The stable name of the kind, such as `InvalidRequest`.
    pub fn kind(&self) -> &'static str {
        self.facts().0
    }

    /// The HTTP status of the kind.
    pub fn status(&self) -> u16 {
        self.facts().1
    }

    /// The name of the kind, its HTTP status and its title.
    fn facts(&self) -> (&'static str, u16, &'static str) {
        match self {
            Self::InvalidRequest { .. } => ("InvalidRequest", 400, "The request is not valid"),
            Self::NotFound { .. } => ("NotFound", 404, "No such route"),
            Self::MethodNotAllowed { .. } => ("MethodNotAllowed", 405, "Method not allowed"),
            Self::InputTooLarge { .. } => ("InputTooLarge", 413, "The input is too large"),
            Self::Internal { .. } => ("Internal", 500, "Internal error"),
            Self::DeadlineTooShort { .. } => ("DeadlineTooShort", 504, "The deadline is too short"),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::InvalidRequest { field, .. } | Self::InputTooLarge { field, .. } => field.as_deref(),
            _ => None,
        }
    }
}

/// An error as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `urn:lambda-duet:error:` and the kind.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// The kind in words, the same for every occurrence.
    pub title: String,
    pub status: u16,
    /// This occurrence in words.
    pub detail: String,
    /// The field at fault, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let (kind, status, title) = error.facts();
        Self {
            type_uri: format!("urn:lambda-duet:error:{kind}"),
            title: title.to_owned(),
            status,
            detail: error.to_string(),
            field: error.field().map(str::to_owned),
        }
    }
}
