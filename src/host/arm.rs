//! Names of Arm cores. The kernel gives two codes of the MIDR_EL1 register instead of a name.

/// The name of a core from its `CPU implementer` and `CPU part`, such as `Neoverse-N1`.
///
/// Codes as in the Linux kernel (`arch/arm64/include/asm/cputype.h`); a core that is not listed is
/// named by its codes.
pub fn model(implementer: &str, part: &str) -> String {
    let name = match (implementer, part) {
        ("0x41", "0xd03") => "Cortex-A53",
        ("0x41", "0xd07") => "Cortex-A57",
        ("0x41", "0xd08") => "Cortex-A72",
        ("0x41", "0xd0b") => "Cortex-A76",
        ("0x41", "0xd0c") => "Neoverse-N1",
        ("0x41", "0xd40") => "Neoverse-V1",
        ("0x41", "0xd49") => "Neoverse-N2",
        ("0x41", "0xd4a") => "Neoverse-E1",
        ("0x41", "0xd4f") => "Neoverse-V2",
        ("0x41", "0xd83") => "Neoverse-V3AE",
        ("0x41", "0xd84") => "Neoverse-V3",
        ("0x41", "0xd8e") => "Neoverse-N3",
        ("0xc0", "0xac3") => "Ampere-1",
        ("0xc0", "0xac4") => "Ampere-1A",
        ("0x61", _) => return format!("Apple {part}"),
        _ => return format!("implementer {implementer} part {part}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::model;

    #[test]
    fn graviton_generations_have_names_and_unknown_cores_keep_their_codes() {
        assert_eq!(model("0x41", "0xd0c"), "Neoverse-N1");
        assert_eq!(model("0x41", "0xd40"), "Neoverse-V1");
        assert_eq!(model("0x41", "0xd4f"), "Neoverse-V2");
        assert_eq!(model("0x61", "0x022"), "Apple 0x022");
        assert_eq!(model("0x7f", "0x001"), "implementer 0x7f part 0x001");
    }
}
