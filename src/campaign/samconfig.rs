//! SAM CLI's configuration file, which names a deployed stack, read as SAM CLI reads it.

use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path};

/// The file names that SAM CLI looks for; the first that exists counts.
const FILES: [&str; 3] = ["samconfig.toml", "samconfig.yaml", "samconfig.yml"];

/// The default environment.
const DEFAULT: &str = "default";

/// A stack, its region, and the profile of its account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SamConfig {
    pub stack_name: Option<String>,
    pub region: Option<String>,
    /// The profile of the AWS configuration files that it was deployed with.
    pub profile: Option<String>,
}

/// The parameters of a command.
#[derive(Default, Deserialize)]
#[serde(default)]
struct DeployCommand {
    parameters: SamConfig,
}

/// The parts of an environment that concern `sam deploy`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct DeployEnvironment {
    deploy: DeployCommand,
    global: DeployCommand,
}

/// The file: a table for each environment, and the version of the format.
type File = BTreeMap<String, Value>;

impl SamConfig {
    /// The parameters of `sam deploy` for an environment in the file in `directory`; empty if there is no file.
    ///
    /// # Errors
    /// When the file cannot be read, or lacks an environment that was asked for by name.
    pub fn read(directory: &Path, environment: Option<&str>) -> Result<Self, String> {
        let Some(path) = FILES.iter().map(|name| directory.join(name)).find(|path| path.is_file()) else {
            return match environment {
                Some(name) => Err(format!("--config-env {name}: there is no {} here", FILES[0])),
                None => Ok(Self::default()),
            };
        };
        let wrong = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
        let mut file: File = match path.extension() {
            Some(extension) if extension == "toml" => toml::from_str(&text).map_err(|error| wrong(&error))?,
            _ => serde_saphyr::from_str(&text).map_err(|error| wrong(&error))?,
        };
        let name = environment.unwrap_or(DEFAULT);
        match file.remove(name) {
            Some(table) if table.is_object() => {
                let environment = serde_json::from_value::<DeployEnvironment>(table);
                Ok(environment.map_err(|error| wrong(&format_args!("environment \"{name}\": {error}")))?.merged())
            }
            _ if environment.is_none() => Ok(Self::default()),
            _ => Err(wrong(&unknown(name, &file))),
        }
    }
}

impl DeployEnvironment {
    /// A command's own parameters take precedence over those for all commands; empty ones count as unset.
    fn merged(self) -> SamConfig {
        let first = |own: Option<String>, global: Option<String>| own.or(global).filter(|value| !value.is_empty());
        let (own, global) = (self.deploy.parameters, self.global.parameters);
        SamConfig {
            stack_name: first(own.stack_name, global.stack_name),
            region: first(own.region, global.region),
            profile: first(own.profile, global.profile),
        }
    }
}

fn unknown(environment: &str, file: &File) -> String {
    let names = file.iter().filter(|(_, table)| table.is_object());
    let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
    let others = if names.is_empty() { "nor any other".to_owned() } else { format!("but {}", names.join(", ")) };
    format!("there is no environment \"{environment}\" in it, {others}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> DeployEnvironment {
        toml::from_str(file).unwrap()
    }

    #[test]
    fn a_commands_own_parameters_take_precedence() {
        let both = read(
            "[global.parameters]\nstack_name = \"all\"\nregion = \"eu-west-1\"\nprofile = \"\"\n\
             [deploy.parameters]\nstack_name = \"own\"\ncapabilities = [\"CAPABILITY_IAM\"]",
        );
        let expected =
            SamConfig { stack_name: Some("own".to_owned()), region: Some("eu-west-1".to_owned()), profile: None };
        assert_eq!(both.merged(), expected);
        assert_eq!(read("").merged(), SamConfig::default());
    }

    #[test]
    fn the_projects_own_file_names_its_stacks() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let name = |environment| SamConfig::read(root, environment).unwrap().stack_name;
        assert_eq!(name(None).as_deref(), Some("lambda-duet"));
        assert_eq!(name(Some("prod")).as_deref(), Some("lambda-duet-prod"));
        let error = SamConfig::read(root, Some("stage")).unwrap_err();
        assert!(error.ends_with("there is no environment \"stage\" in it, but default, dev, prod"), "{error}");
        assert_eq!(SamConfig::read(Path::new("/nowhere"), None), Ok(SamConfig::default()));
    }
}
