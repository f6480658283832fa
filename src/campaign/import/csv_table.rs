//! Comma-separated values.

use super::{
    columns::{Columns, no_column},
    other_format,
    quotation::{Misplaced, first_misplaced},
    source::{ImportError, Take, open},
};
use csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord, Trim};
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

/// Checks what one look at the file tells: that it is CSV with these columns, and no quotation mark is misplaced.
pub(super) fn check(path: &Path, columns: &Columns) -> Result<(), ImportError> {
    let mut reader = reader(path)?;
    let places = places(path, columns, headers(path, &mut reader)?);
    if places.is_err()
        && let Some(reason) = other_format::than_csv(path, &columns.names())?
    {
        return Err(ImportError::file(path, reason));
    }
    let misplaced = first_misplaced(BufReader::new(open(path)?)).map_err(ImportError::io(path))?;
    if let Some(Misplaced { line, reason }) = misplaced {
        return Err(ImportError::line(path, line, reason));
    }
    places.map(drop)
}

/// Hands over the rows of a file that was checked.
pub(super) fn read(path: &Path, columns: &Columns, take: Take<'_>) -> Result<(), ImportError> {
    let mut reader = reader(path)?;
    let places = places(path, columns, headers(path, &mut reader)?)?;
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| failed(path, &error))? {
        let texts: Vec<&str> = places.iter().map(|place| &record[*place]).collect();
        let taken = columns.measurement(&texts).and_then(&mut *take);
        let begin = || record.position().cloned().unwrap_or_else(Position::new);
        taken.map_err(|reason| ImportError::line(path, line(path, &begin()), reason))?;
    }
    Ok(())
}

fn reader(path: &Path) -> Result<Reader<File>, ImportError> {
    Ok(ReaderBuilder::new().trim(Trim::All).from_reader(open(path)?))
}

fn headers<'a>(path: &Path, reader: &'a mut Reader<File>) -> Result<&'a StringRecord, ImportError> {
    reader.headers().map_err(|error| failed(path, &error))
}

/// The places of the columns in a record.
fn places(path: &Path, columns: &Columns, header: &StringRecord) -> Result<Vec<usize>, ImportError> {
    if header.is_empty() {
        return Err(ImportError::file(path, "the file is empty; it must begin with a line of the columns' names"));
    }
    let place = |name: &str| {
        let mut found = header.iter().enumerate().filter(|(_, known)| *known == name).map(|(place, _)| place);
        match (found.next(), found.next()) {
            (Some(place), None) => Ok(place),
            (Some(_), Some(_)) => Err(format!("there are two columns {name:?}; each needs a name of its own")),
            (None, _) => Err(no_column(name, header)),
        }
    };
    let places = columns.names().into_iter().map(place).collect::<Result<_, _>>();
    places.map_err(|reason| ImportError::line(path, 1, reason))
}

fn failed(path: &Path, error: &csv::Error) -> ImportError {
    match error.kind() {
        ErrorKind::Io(source) => ImportError::io(path)(io::Error::new(source.kind(), source.to_string())),
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, |position| line(path, position));
            let reason = if len < expected_len {
                format!("this row has values for {len} of the {expected_len} columns of the header")
            } else {
                format!("this row has {len} values, more than the header has columns, which is {expected_len}")
            };
            ImportError::line(path, line, reason)
        }
        ErrorKind::Utf8 { pos, .. } => {
            ImportError::line(path, pos.as_ref().map_or(0, |position| line(path, position)), "this is not UTF-8")
        }
        _ => ImportError::file(path, error.to_string()),
    }
}

/// The line on which a record begins: empty lines before the record and the line feeds of CR LF count too, which the
/// reader's own count leaves out.
fn line(path: &Path, begin: &Position) -> u64 {
    let count = || -> Result<u64, ImportError> {
        let mut line = 1;
        for (place, byte) in (0..).zip(BufReader::new(open(path)?).bytes()) {
            let byte = byte.map_err(ImportError::io(path))?;
            if place >= begin.byte() && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            line += u64::from(byte == b'\n');
        }
        Ok(line)
    };
    count().unwrap_or_else(|_| begin.line())
}
