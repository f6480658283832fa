//! Tests that run once on each architecture.

use lambda_duet::protocol::Architecture;

/// The architecture of this machine.
pub const NATIVE: Architecture = Architecture::OF_BINARY;

/// The one that this machine emulates.
pub const FOREIGN: Architecture = match NATIVE {
    Architecture::Arm64 => Architecture::X86_64,
    Architecture::X86_64 => Architecture::Arm64,
};

/// Makes two tests of each function that takes an architecture: `native::name` and `foreign::name`; and one,
/// `foreign::name`, of each that compares the two and stands behind a semicolon.
///
/// Whatever needs the foreign architecture is in a module `foreign`, so that `make check` can leave it out.
macro_rules! on_both {
    ($($name:ident),+ $(,)? $(; $($compared:ident),+ $(,)?)?) => {
        mod native {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name($crate::architectures::NATIVE).await;
                }
            )+
        }

        mod foreign {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name($crate::architectures::FOREIGN).await;
                }
            )+
            $($(
                #[tokio::test]
                async fn $compared() {
                    super::$compared().await;
                }
            )+)?
        }
    };
}

pub(crate) use on_both;
