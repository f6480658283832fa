//! Quotation marks of CSV. The reader takes any text; here it is held to RFC 4180, lest a mark that was forgotten swallows
//! rows or ends up in a name.

use std::io::{self, BufRead};

/// What is wrong with a quotation mark, and the line on which its value begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misplaced {
    pub line: u64,
    pub reason: &'static str,
}

const STRAY: &str = "a quotation mark stands within a value that does not begin with one; write the value in quotation \
                     marks, and each mark in it twice";
const OPEN: &str = "a quotation mark is opened and never closed";
const TEXT_AFTER: &str = "text follows the quotation mark that closes a value; a mark within a value is written twice";

/// What may stand before all other text, and is none.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Where in a value a byte stands.
enum Place {
    Start,
    Unquoted,
    Quoted,
    /// After a mark within quotation marks, which closes them unless another follows.
    Mark,
    /// After the mark that closes a value, and spaces.
    Closed,
}

/// The first misplaced quotation mark.
pub(super) fn first_misplaced(mut text: impl BufRead) -> io::Result<Option<Misplaced>> {
    let (mut place, mut line, mut opened) = (Place::Start, 1, 1);
    if text.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        text.consume(BYTE_ORDER_MARK.len());
    }
    loop {
        let bytes = text.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        for byte in bytes {
            place = match (place, byte) {
                (Place::Quoted, b'"') => Place::Mark,
                (Place::Quoted, _) => Place::Quoted,
                (Place::Mark, b'"') => Place::Quoted,
                (_, b',' | b'\r' | b'\n') => Place::Start,
                (Place::Start, b'"') => {
                    opened = line;
                    Place::Quoted
                }
                (Place::Unquoted, b'"') => return Ok(Some(Misplaced { line, reason: STRAY })),
                (Place::Start | Place::Unquoted, _) => Place::Unquoted,
                (Place::Mark | Place::Closed, b' ' | b'\t') => Place::Closed,
                (Place::Mark | Place::Closed, _) => return Ok(Some(Misplaced { line: opened, reason: TEXT_AFTER })),
            };
            line += u64::from(*byte == b'\n');
        }
        let length = bytes.len();
        text.consume(length);
    }
    Ok(matches!(place, Place::Quoted).then_some(Misplaced { line: opened, reason: OPEN }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rfc_4180_allows_is_in_place() {
        for text in [
            "",
            "a,b\n1,2",
            "\"a \"\"word\"\"\n\",\r\n\"\",\"x\" ,\"y\"\t\n",
            "a\n\"x\"",
            "\"\"\"\"",
            "\u{feff}\"a\",b\n",
        ] {
            assert_eq!(first_misplaced(text.as_bytes()).unwrap(), None, "{text}");
        }
    }

    #[test]
    fn a_misplaced_mark_is_found_where_its_value_begins() {
        for (text, line, reason) in [
            ("a,b\n1,5\" disk\n", 2, STRAY),
            ("a,b\n1, \"x\"\n", 2, STRAY),
            ("a,b\n\"x\n\"y,1\n", 2, TEXT_AFTER),
            ("a\n\"x\" y\n", 2, TEXT_AFTER),
            ("a,b\n\"x,1\ny,2\n", 2, OPEN),
            ("a,b\n\"x\",1\n\n2,\"y\"\"\n", 4, OPEN),
            ("\"a", 1, OPEN),
        ] {
            assert_eq!(first_misplaced(text.as_bytes()).unwrap(), Some(Misplaced { line, reason }), "{text}");
        }
        // The buffer may end anywhere.
        let text = io::BufReader::with_capacity(1, "a\n\"x\"\"\"y".as_bytes());
        assert_eq!(first_misplaced(text).unwrap(), Some(Misplaced { line: 2, reason: TEXT_AFTER }));
    }
}
