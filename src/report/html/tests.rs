use super::*;
use crate::report::fixture;

#[test]
fn a_page_is_written() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("report.html"), page(&fixture::analysis())).unwrap();
}
