//! Headers that the user adds to requests to HTTP endpoints.

use hyper::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use std::str::FromStr;

/// A header with its value, which may be secret: it is neither shown nor stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub name: HeaderName,
    /// Its value, marked as sensitive.
    pub value: HeaderValue,
}

/// The text is not a header that can be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    #[error("a header is written NAME=VALUE")]
    NoValue,
    #[error("\"{0}\" is not the name of a header; write NAME=VALUE, such as x-tenant=blue")]
    Name(String),
    #[error("the value of {0} has characters that no header may have")]
    Value(HeaderName),
    #[error("{0} is set by the request itself; leave it out")]
    Own(HeaderName),
}

impl FromStr for Header {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, HeaderError> {
        let (name, value) = text.split_once('=').ok_or(HeaderError::NoValue)?;
        let name: HeaderName = name.parse().map_err(|_| HeaderError::Name(name.to_owned()))?;
        if [HOST, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
            return Err(HeaderError::Own(name));
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| HeaderError::Value(name.clone()))?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::AUTHORIZATION;

    #[test]
    fn headers_are_parsed_and_their_values_are_not_shown() {
        let header: Header = "X-Token=a=b".parse().unwrap();
        assert_eq!((header.name.as_str(), header.value.to_str().unwrap()), ("x-token", "a=b"));
        assert!(!format!("{header:?}").contains("a=b"));
        assert_eq!("x-empty=".parse::<Header>().unwrap().value, "");
        assert_eq!("x-token".parse::<Header>(), Err(HeaderError::NoValue));
        assert_eq!("x token=1".parse::<Header>(), Err(HeaderError::Name("x token".to_owned())));
        assert!(matches!("x-token=a\nb".parse::<Header>(), Err(HeaderError::Value(_))));
        for own in ["Host=a", "content-length=1", "transfer-encoding=chunked"] {
            assert!(matches!(own.parse::<Header>(), Err(HeaderError::Own(_))), "{own}");
        }
        assert_eq!("Authorization=Bearer x".parse::<Header>().unwrap().name, AUTHORIZATION);
    }
}
