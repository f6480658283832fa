//! Paths without what they say about platforms: native code for several of them differs in nothing else.

/// Names of the architectures that Lambda has.
const LAMBDA: [&str; 12] = [
    "aarch64",
    "amd64",
    "arm64",
    "arm64v8",
    "armv8",
    "linux64",
    "linuxaarch64",
    "linuxarm64",
    "linuxx64",
    "linuxx8664",
    "x64",
    "x8664",
];

/// Names of others.
const OTHER: [&str; 37] = [
    "386",
    "arm",
    "armeabi",
    "armel",
    "armhf",
    "armv5",
    "armv6",
    "armv6l",
    "armv7",
    "armv7l",
    "i386",
    "i486",
    "i586",
    "i686",
    "ia32",
    "ia64",
    "linux32",
    "loong64",
    "loongarch64",
    "mips",
    "mips64",
    "mips64el",
    "mipsel",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparcv9",
    "universal",
    "universal2",
    "v7a",
    "v8a",
    "x32",
    "x86",
];

/// What else names Linux with glibc. Prisma names its engines for x86_64 after distributions.
const LINUX: [&str; 11] =
    ["debian", "eabi", "eabihf", "glibc", "gnu", "gnueabi", "gnueabihf", "linux", "pc", "rhel", "unknown"];

/// What names another system, or another C library.
const FOREIGN: [&str; 27] = [
    "aix",
    "alpine",
    "android",
    "apple",
    "darwin",
    "dragonflybsd",
    "freebsd",
    "ios",
    "linuxmusl",
    "mac",
    "macos",
    "macosx",
    "msvc",
    "musl",
    "musleabihf",
    "musllinux",
    "netbsd",
    "openbsd",
    "osx",
    "solaris",
    "sunos",
    "win",
    "win10",
    "win32",
    "win64",
    "windows",
    "cygwin",
];

/// What a path says about platforms, and the rest of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathWords {
    /// The words of the path without those that name platforms.
    pub file: String,
    /// The same up to the last directory that names a platform, if any does.
    pub directory: Option<String>,
    /// Whether a directory names an architecture of Lambda.
    pub has_lambda_directory: bool,
    /// Whether a word names another system or another C library.
    pub names_foreign_system: bool,
}

impl PathWords {
    pub fn of(path: &str) -> Self {
        let mut names_foreign_system = false;
        let mut directory_end = None;
        let mut has_lambda_directory = false;
        let mut components: Vec<String> = Vec::new();
        let last = path.split('/').count() - 1;
        // The libraries beside a wheel have a checksum in their names.
        let mut has_checksums = false;
        for (index, component) in path.split('/').enumerate() {
            // Names that contain what else separates words.
            let name = component.to_ascii_lowercase().replace("x86_64", "x8664").replace("x86-64", "x8664");
            let name = name.replace("aarch_64", "aarch64").replace("aarch-64", "aarch64");
            let mut rest = Vec::new();
            for word in name.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()) {
                let is_many_linux = word.starts_with("manylinux");
                names_foreign_system |= FOREIGN.contains(&word);
                if index < last {
                    has_lambda_directory |= LAMBDA.contains(&word);
                    if [&LAMBDA[..], &OTHER, &FOREIGN].iter().any(|names| names.contains(&word)) {
                        directory_end = Some(index);
                    }
                }
                let is_checksum = has_checksums && word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
                let names_platform = [&LAMBDA[..], &OTHER, &LINUX, &FOREIGN].iter().any(|names| names.contains(&word));
                if !names_platform && !is_many_linux && !is_checksum {
                    rest.push(word);
                }
            }
            components.push(rest.join("-"));
            has_checksums |= name.ends_with(".libs");
        }
        Self {
            file: components.join("/"),
            directory: directory_end.map(|end| components[..=end].join("/")),
            has_lambda_directory,
            names_foreign_system,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_file_for_several_platforms_are_equal() {
        let equal = |paths: &[&str], words: &str| {
            for path in paths {
                assert_eq!(PathWords::of(path).file, words, "{path}");
            }
        };
        equal(
            &["prebuilds/linux-x64/node.napi.node", "prebuilds/linux-arm64/node.napi.armv8.node"],
            "prebuilds//node-napi-node",
        );
        equal(&["prebuilds/darwin-x64+arm64/node.napi.node"], "prebuilds//node-napi-node");
        equal(
            &[
                "@img/sharp-linux-x64/lib/sharp-linux-x64.node",
                "@img/sharp-linuxmusl-arm64/lib/sharp-linuxmusl-arm64.node",
            ],
            "img/sharp/lib/sharp-node",
        );
        equal(
            &[
                "libquery_engine-rhel-openssl-3.0.x.so.node",
                "libquery_engine-debian-openssl-3.0.x.so.node",
                "libquery_engine-linux-arm64-openssl-3.0.x.so.node",
            ],
            "libquery-engine-openssl-3-0-x-so-node",
        );
    }

    #[test]
    fn directories_end_at_the_last_name_of_a_platform() {
        let words = PathWords::of("com/sun/jna/linux-x86-64/libjnidispatch.so");
        assert_eq!(words.directory.as_deref(), Some("com/sun/jna/"));
        assert_eq!(PathWords::of("a/_b.cpython-313-x86_64-linux-gnu.so").directory, None);
        assert_eq!(PathWords::of("a/_b.cpython-313-x86_64-linux-gnu.so").file, "a/b-cpython-313-so");
        assert_eq!(PathWords::of("a/_b.cpython-313-darwin.so").file, "a/b-cpython-313-so");
        assert_eq!(PathWords::of("numpy.libs/libgfortran-040039e1.so.5").file, "numpy-libs/libgfortran-so-5");
        assert!(PathWords::of("a/freebsd-x86-64/b.so").names_foreign_system);
        assert!(!PathWords::of("a/linux-x86-64-gnu/b.so").names_foreign_system);
    }
}
