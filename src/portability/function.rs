//! What is known of the function itself.

use crate::protocol::Architecture;
use serde::Serialize;

/// A function as its configuration describes it.
#[derive(Clone, Debug)]
pub struct FunctionDescription {
    /// Such as `python3.13`; `None` for a function in an image.
    pub runtime: Option<String>,
    /// Such as `app.handler`.
    pub handler: Option<String>,
    /// The architecture that it has now.
    pub architecture: Architecture,
    /// The container image that it is made of; `None` if it has packages.
    pub image: Option<String>,
}

/// A ZIP file of a function.
#[derive(Debug)]
pub struct Package<R> {
    pub name: PackageName,
    /// The architectures for which a layer says that it is made; `None` if it does not say.
    pub compatible_architectures: Option<Vec<Architecture>>,
    /// The ZIP file, or why it could not be fetched.
    pub archive: Result<R, String>,
}

/// Which of a function's packages it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageName {
    Code,
    /// A layer, by its name or ARN.
    Layer(String),
}

/// What runs the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RuntimeFamily {
    Python,
    NodeJs,
    Java,
    DotNet,
    Ruby,
    OsOnly,
}

impl FunctionDescription {
    /// The architecture that is asked about.
    pub fn other_architecture(&self) -> Architecture {
        match self.architecture {
            Architecture::Arm64 => Architecture::X86_64,
            Architecture::X86_64 => Architecture::Arm64,
        }
    }

    /// `None` for an image or an unknown runtime.
    pub(super) fn family(&self) -> Option<RuntimeFamily> {
        let runtime = self.runtime.as_deref()?;
        let families = [
            ("python", RuntimeFamily::Python),
            ("nodejs", RuntimeFamily::NodeJs),
            ("java", RuntimeFamily::Java),
            ("dotnet", RuntimeFamily::DotNet),
            ("ruby", RuntimeFamily::Ruby),
            ("provided", RuntimeFamily::OsOnly),
            // Its programs are started by their names, but are Linux programs like any others.
            ("go1.x", RuntimeFamily::OsOnly),
        ];
        families.into_iter().find(|(prefix, _)| runtime.starts_with(prefix)).map(|(_, family)| family)
    }

    /// Whether Lambda has the runtime for x86_64 alone, as it has those that are older than its arm64.
    pub(super) fn has_runtime_of_x86_64_alone(&self) -> bool {
        const X86_64_ALONE: [&str; 17] = [
            "dotnetcore1.0",
            "dotnetcore2.0",
            "dotnetcore2.1",
            "go1.x",
            "java8",
            "nodejs",
            "nodejs10.x",
            "nodejs4.3",
            "nodejs4.3-edge",
            "nodejs6.10",
            "nodejs8.10",
            "provided",
            "python2.7",
            "python3.6",
            "python3.7",
            "ruby2.5",
            "ruby2.6",
        ];
        self.runtime.as_deref().is_some_and(|runtime| X86_64_ALONE.contains(&runtime))
    }

    /// `3.13` of `python3.13`.
    pub(super) fn python_version(&self) -> Option<&str> {
        self.runtime.as_deref()?.strip_prefix("python")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_of_families() {
        let function = |runtime: Option<&str>| FunctionDescription {
            runtime: runtime.map(str::to_owned),
            handler: None,
            architecture: Architecture::X86_64,
            image: None,
        };
        let family = |runtime| function(Some(runtime)).family();
        assert_eq!(family("python3.13"), Some(RuntimeFamily::Python));
        assert_eq!(family("nodejs22.x"), Some(RuntimeFamily::NodeJs));
        assert_eq!(family("java8.al2"), Some(RuntimeFamily::Java));
        assert_eq!(family("provided.al2023"), Some(RuntimeFamily::OsOnly));
        assert_eq!((family("cobol85"), function(None).family()), (None, None));
        assert!(function(Some("java8")).has_runtime_of_x86_64_alone());
        assert!(!function(Some("java8.al2")).has_runtime_of_x86_64_alone());
        assert_eq!(function(Some("python3.13")).python_version(), Some("3.13"));
    }
}
