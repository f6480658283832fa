//! The samples of a campaign as a Parquet file: a row for each invocation, failed ones included. Rows come one after the other and
//! are kept for one row group only.

use crate::{
    analysis::{call_sample::time_ms, result::Measure},
    campaign::{
        manifest::{Manifest, Variant},
        row::Row,
    },
};
use ::parquet::{
    basic::{Compression, GzipLevel},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::parser::parse_message_type,
};
use std::{io::Write, sync::Arc};

/// The rows of a group. Readers take groups side by side; writing one takes some 30 MB.
const ROWS_OF_GROUP: usize = 1 << 16;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    pub(crate) failed: u64,
    /// Rows whose times mean nothing, because an instruction set was emulated.
    pub(crate) emulated: u64,
}

/// A row with what is known of its variant.
struct Call<'a> {
    manifest: &'a Manifest,
    variant: &'a Variant,
    row: &'a Row,
}

/// How the value of a column is found.
enum Pick {
    Boolean(fn(&Call<'_>) -> Option<bool>),
    Integer(fn(&Call<'_>) -> Option<u64>),
    /// Milliseconds since 1970-01-01 UTC.
    Instant(fn(&Call<'_>) -> Option<u64>),
    Number(fn(&Call<'_>) -> Option<f64>),
    Text(fn(&Call<'_>) -> Option<String>),
}

use Pick::{Boolean, Instant, Integer, Number, Text};

/// The columns, in their order. They stay; new ones come at the end. What is not known is null.
const COLUMNS: [(&str, Pick); 31] = [
    ("block", Integer(|call| Some(call.row.block))),
    ("step", Integer(|call| Some(call.row.step.into()))),
    ("slot", Integer(|call| Some(call.row.slot.into()))),
    ("attempt", Integer(|call| Some(call.row.attempt.into()))),
    ("variant", Text(|call| Some(call.variant.name.clone()))),
    ("is_baseline", Boolean(|call| Some(call.row.variant == call.manifest.baseline))),
    ("architecture", Text(architecture)),
    ("cell", Text(|call| Some(call.row.cell.clone()))),
    ("started_at", Instant(|call| Some(call.row.started_unix_ms).filter(|time| *time > 0))),
    ("elapsed_ms", Integer(|call| Some(call.row.elapsed_ms).filter(|_| call.row.started_unix_ms > 0))),
    ("delay_ms", Number(|call| call.made_here(call.row.delay_ns as f64 / 1e6))),
    ("cold", Boolean(|call| call.row.cold)),
    ("latency_ms", Number(|call| Some(call.row.latency_ms()).filter(|time| *time > 0.0))),
    ("duration_ms", Number(|call| time_ms(call.row, Measure::Duration))),
    ("billed_ms", Number(|call| time_ms(call.row, Measure::Billed))),
    ("init_ms", Number(|call| time_ms(call.row, Measure::Init))),
    ("wall_ms", Number(|call| time_ms(call.row, Measure::Wall))),
    ("cpu_ms", Number(|call| time_ms(call.row, Measure::Cpu))),
    ("iterations", Integer(iterations)),
    ("memory_mb", Integer(memory_mb)),
    ("max_memory_mb", Integer(|call| Some(call.row.report.as_ref()?.max_memory_mb?.into()))),
    ("cost_usd", Number(|call| call.made_here(call.row.cost_usd))),
    ("environment", Text(|call| call.row.environment().map(str::to_owned))),
    ("cpu_model", Text(|call| call.row.cpu_model().map(str::to_owned))),
    ("emulated", Boolean(|call| Some(call.row.response.as_ref()?.host.emulated))),
    ("request_id", Text(|call| call.row.request_id.clone())),
    ("executed_version", Text(|call| call.row.executed_version.clone())),
    ("output_sha256", Text(|call| call.row.output_sha256.clone())),
    ("failure", Text(|call| Some(call.row.failure.as_ref()?.kind.to_string()))),
    ("failure_message", Text(|call| Some(call.row.failure.as_ref()?.message.clone()))),
    ("failure_reason", Text(|call| call.row.failure.as_ref()?.reason.clone())),
];

impl Call<'_> {
    /// A value of calls that this program has made.
    fn made_here<T>(&self, value: T) -> Option<T> {
        Some(value).filter(|_| self.manifest.imported.is_none())
    }
}

fn architecture(call: &Call<'_>) -> Option<String> {
    let of_answer = call.row.response.as_ref().map(|response| response.function.architecture);
    let configured = call.variant.configuration.as_ref().map(|configuration| configuration.architecture);
    configured.or(of_answer).map(|architecture| architecture.to_string())
}

fn iterations(call: &Call<'_>) -> Option<u64> {
    let response = call.row.response.as_ref()?;
    Some(response.results.iter().map(|sample| sample.wall_ns.len() as u64).sum())
}

/// The memory setting: as reported, else as configured.
fn memory_mb(call: &Call<'_>) -> Option<u64> {
    let reported = call.row.report.as_ref().and_then(|report| report.memory_mb);
    let configured = call.variant.configuration.as_ref().map(|configuration| configuration.memory_mb);
    reported.or(configured).map(u64::from)
}

/// Writes the rows of a campaign, without their order being changed.
///
/// # Errors
/// With the first that `rows` has, or when they cannot be written.
pub(crate) fn write<E: From<ParquetError>>(
    manifest: &Manifest,
    rows: impl Iterator<Item = Result<Row, E>>,
    to: impl Write + Send,
) -> Result<Written, E> {
    let schema = Arc::new(parse_message_type(&schema())?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::GZIP(GzipLevel::try_new(FAST)?))
        .set_created_by(format!("lambda-duet version {}", env!("CARGO_PKG_VERSION")))
        .build();
    let mut writer = SerializedFileWriter::new(to, schema, Arc::new(properties))?;
    let mut columns = COLUMNS.map(|(_, pick)| Column::new(pick));
    let mut written = Written::default();
    for row in rows {
        let row = row?;
        let call = Call { manifest, variant: &manifest.variants[row.variant], row: &row };
        columns.iter_mut().for_each(|column| column.take(&call));
        written.count(&row);
        if written.rows.is_multiple_of(ROWS_OF_GROUP as u64) {
            write_group(&mut writer, &mut columns)?;
        }
    }
    write_group(&mut writer, &mut columns)?;
    writer.close()?;
    Ok(written)
}

/// The level of compression: higher ones take several times as long for a file that is hardly smaller.
const FAST: u32 = 1;

impl Written {
    fn count(&mut self, row: &Row) {
        self.rows += 1;
        self.failed += u64::from(row.failure.is_some());
        self.emulated += u64::from(row.response.as_ref().is_some_and(|response| response.host.emulated));
    }
}

fn schema() -> String {
    let field = |(name, pick): &(&str, Pick)| {
        let [physical, logical] = match pick {
            Boolean(_) => ["BOOLEAN", ""],
            Integer(_) => ["INT64", ""],
            Instant(_) => ["INT64", "(TIMESTAMP(MILLIS,true))"],
            Number(_) => ["DOUBLE", ""],
            Text(_) => ["BYTE_ARRAY", "(STRING)"],
        };
        format!("OPTIONAL {physical} {name} {logical};")
    };
    format!("message samples {{ {} }}", COLUMNS.iter().map(field).collect::<String>())
}

/// The values of one column that are not written yet.
struct Column {
    pick: Pick,
    values: Values,
    /// For each row 1 where it has a value, and 0 where it has none.
    levels: Vec<i16>,
}

enum Values {
    Boolean(Vec<bool>),
    Integer(Vec<i64>),
    Number(Vec<f64>),
    Text(Vec<ByteArray>),
}

impl Column {
    fn new(pick: Pick) -> Self {
        let values = match pick {
            Boolean(_) => Values::Boolean(Vec::new()),
            Integer(_) | Instant(_) => Values::Integer(Vec::new()),
            Number(_) => Values::Number(Vec::new()),
            Text(_) => Values::Text(Vec::new()),
        };
        Self { pick, values, levels: Vec::new() }
    }

    fn take(&mut self, call: &Call<'_>) {
        let is_there = match (&self.pick, &mut self.values) {
            (Boolean(pick), Values::Boolean(values)) => push(values, pick(call)),
            (Integer(pick) | Instant(pick), Values::Integer(values)) => {
                push(values, pick(call).map(|value| i64::try_from(value).unwrap_or(i64::MAX)))
            }
            (Number(pick), Values::Number(values)) => push(values, pick(call)),
            (Text(pick), Values::Text(values)) => {
                push(values, pick(call).map(|text| ByteArray::from(text.into_bytes())))
            }
            _ => unreachable!("a column has values of its own kind"),
        };
        self.levels.push(is_there.into());
    }

    fn write(&mut self, to: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        match &mut self.values {
            Values::Boolean(values) => write_values::<BoolType>(to, values, &self.levels)?,
            Values::Integer(values) => write_values::<Int64Type>(to, values, &self.levels)?,
            Values::Number(values) => write_values::<DoubleType>(to, values, &self.levels)?,
            Values::Text(values) => write_values::<ByteArrayType>(to, values, &self.levels)?,
        }
        self.levels.clear();
        Ok(())
    }
}

/// Adds a value, if there is one.
fn push<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    let before = values.len();
    values.extend(value);
    values.len() > before
}

fn write_values<T: DataType>(
    to: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    levels: &[i16],
) -> Result<(), ParquetError> {
    to.typed::<T>().write_batch(values, Some(levels), None)?;
    values.clear();
    Ok(())
}

fn write_group(
    writer: &mut SerializedFileWriter<impl Write + Send>,
    columns: &mut [Column],
) -> Result<(), ParquetError> {
    if columns.iter().all(|column| column.levels.is_empty()) {
        return Ok(());
    }
    let mut group = writer.next_row_group()?;
    for column in columns {
        let Some(mut to) = group.next_column()? else { break };
        column.write(&mut to)?;
        to.close()?;
    }
    group.close()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{
        failure::{Failure, FailureKind},
        platform_report::PlatformReport,
    };
    use ::parquet::{
        file::{
            metadata::RowGroupMetaData,
            reader::{FileReader, SerializedFileReader},
        },
        record::RowAccessor,
    };
    use std::{fs::File, io::Seek};

    fn written(rows: impl Iterator<Item = Row>) -> (Written, SerializedFileReader<File>) {
        let mut file = tempfile::tempfile().unwrap();
        let rows = rows.map(Ok::<_, ParquetError>);
        let written = write(&Manifest::example(), rows, &file).unwrap();
        file.rewind().unwrap();
        (written, SerializedFileReader::new(file).unwrap())
    }

    fn place(name: &str) -> usize {
        COLUMNS.iter().position(|(column, _)| *column == name).unwrap()
    }

    #[test]
    fn a_call_is_a_row_and_what_is_not_known_is_null() {
        let report = PlatformReport { duration_ms: Some(0.75), billed_ms: Some(1.0), ..PlatformReport::default() };
        let failure = Failure::new(FailureKind::Timeout, "too late");
        let (good, bad) =
            (Row { report: Some(report), ..Row::example() }, Row { failure: Some(failure), ..Row::example() });
        let (written, reader) = written([good, bad].into_iter());
        assert_eq!(written, Written { rows: 2, failed: 1, emulated: 0 });
        let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        let number = |row: usize, name: &str| rows[row].get_double(place(name)).ok();
        assert_eq!(
            [number(0, "duration_ms"), number(0, "latency_ms"), number(0, "init_ms")],
            [Some(0.75), Some(1.0), None]
        );
        assert_eq!(number(1, "duration_ms"), None);
        assert_eq!(rows[0].get_timestamp_millis(place("started_at")).unwrap(), 1);
        assert_eq!(rows[0].get_string(place("variant")).unwrap(), "x");
        assert!(rows[0].get_bool(place("is_baseline")).unwrap());
        assert_eq!(rows[1].get_string(place("failure")).unwrap(), "timeout");
        assert!(rows[0].get_string(place("failure")).is_err());
    }

    #[test]
    fn rows_are_kept_for_one_group_only() {
        let rows = (0..=ROWS_OF_GROUP as u64).map(|block| Row { block, ..Row::example() });
        let (written, reader) = written(rows);
        assert_eq!(written.rows, ROWS_OF_GROUP as u64 + 1);
        let groups: Vec<i64> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
        assert_eq!(groups, [ROWS_OF_GROUP as i64, 1]);
        let last = reader.get_row_iter(None).unwrap().last().unwrap().unwrap();
        assert_eq!(last.get_long(place("block")).unwrap(), ROWS_OF_GROUP as i64);
    }

    #[test]
    fn the_first_error_ends_it() {
        let rows = [Ok(Row::example()), Err(ParquetError::General("damaged".to_owned()))];
        let error = write(&Manifest::example(), rows.into_iter(), Vec::new()).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
    }
}
