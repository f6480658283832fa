//! Names that no cell can have, because reports have rows of these names beside those of cells.

/// All cells together.
pub const ALL_CELLS: &str = "all";

/// The cold starts of all cells together.
pub const COLD_STARTS: &str = "starts";

/// Why a cell cannot have this name, as the end of a sentence. None if it can.
pub fn reserved(name: &str) -> Option<String> {
    let of_rows = [(ALL_CELLS, "all cells together"), (COLD_STARTS, "cold starts")];
    let (_, row) = of_rows.into_iter().find(|(reserved, _)| *reserved == name)?;
    Some(format!("is {name}, which is that of {row} in reports"))
}
