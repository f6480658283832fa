//! The probe: a layer on the clones whose wrapper script writes the CPU of each execution environment to its log.
//!
//! Nothing of it stays in the process: the script replaces itself by the runtime.

use super::{
    super::{
        control_call::{Obstacle, in_time_of, is_settled, obstacle, until_done},
        function_variables::MAX_BYTES,
        row::Failure,
    },
    Creation, Resource,
    creation::UPLOAD,
    tags,
};
use crate::{campaign::stop_request, host};
use aws_sdk_lambda::{
    operation::get_function_configuration::GetFunctionConfigurationOutput as Configured,
    primitives::Blob,
    types::{EnvironmentResponse, LayerVersionContentInput, PackageType, Runtime},
};
use std::{
    collections::HashMap,
    io::{Cursor, Write},
};
use tokio::sync::watch;
use zip::{ZipWriter, result::ZipResult, write::SimpleFileOptions};

/// The script, which docs/try.md shows.
const SCRIPT: &str = include_str!("probe.sh");

/// The name of the script in the layer.
const NAME: &str = "lambda-duet-probe";

/// The variable that names the wrapper of managed runtimes.
const VARIABLE: &str = "AWS_LAMBDA_EXEC_WRAPPER";

/// The most layers that a function has.
const MAX_LAYERS: usize = 5;

/// A layer with the probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The ARN of the layer's version.
    pub(super) layer: String,
}

impl Probe {
    /// The variable that clones have besides those of the function.
    pub(super) fn variable() -> (String, String) {
        (VARIABLE.to_owned(), format!("/opt/{NAME}"))
    }
}

/// Why clones of a function can have no probe.
pub(super) fn obstacle_of(configured: &Configured) -> Option<&'static str> {
    let variables = configured.environment().and_then(EnvironmentResponse::variables);
    let runtime = configured.runtime().map_or("", Runtime::as_str);
    if configured.package_type() == Some(&PackageType::Image) {
        Some("its code is an image, which has no layers")
    } else if runtime.starts_with("provided") || runtime == "go1.x" {
        Some("its runtime takes no wrapper script")
    } else if configured.layers().len() >= MAX_LAYERS {
        Some("it has five layers, and Lambda takes no more")
    } else if variables.is_some_and(|variables| variables.contains_key(VARIABLE)) {
        Some("it has a wrapper script already")
    } else if variables.is_some_and(|variables| bytes_with_probe(variables) > MAX_BYTES) {
        Some("with another variable it would have more than Lambda allows")
    } else {
        None
    }
}

/// How many bytes the variables of a clone have, as JSON.
fn bytes_with_probe(variables: &HashMap<String, String>) -> usize {
    let mut variables = variables.clone();
    variables.extend([Probe::variable()]);
    serde_json::to_vec(&variables).map_or(0, |text| text.len())
}

impl Creation<'_> {
    /// Publishes the layer with the probe; none if that is interrupted by `stop`.
    ///
    /// # Errors
    /// With the reason why it cannot be published. It is deleted with the clones all the same.
    pub async fn publish_probe(&self, stop: &watch::Receiver<bool>) -> Result<Option<Probe>, Failure> {
        let name = Resource::Probe(self.list.campaign().clone());
        self.begin(&name)?;
        let archive = archive().map_err(|error| Failure::refused(error.to_string()))?;
        let mut probe = None;
        let publish = async || {
            let content = LayerVersionContentInput::builder().zip_file(Blob::new(archive.clone())).build();
            let answer = self.lambda.request(async |client| {
                let request = client.publish_layer_version().layer_name(name.to_string()).content(content);
                let description = tags::as_text(self.owner, self.needed);
                in_time_of(UPLOAD, request.description(description).send()).await
            });
            let answer = answer.await;
            self.list.settle(&name, is_settled(&answer));
            let published = answer.map_err(|error| obstacle(&error, |message| message))?;
            let missing = || Obstacle::Final(Failure::refused("Lambda does not tell the ARN of the layer"));
            probe = Some(Probe { layer: published.layer_version_arn.ok_or_else(missing)? });
            Ok(())
        };
        let published = until_done(publish, self.within, stop_request::asked(stop)).await;
        published.map_err(|failure| self.refused(&name, failure))?;
        Ok(probe)
    }
}

/// The layer, a ZIP file.
fn archive() -> ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(NAME, SimpleFileOptions::default().unix_permissions(0o755))?;
    archive.write_all(SCRIPT.as_bytes())?;
    Ok(archive.finish()?.into_inner())
}

/// The CPU that the probe has written into this log.
pub fn cpu_model(log: &str) -> Option<String> {
    let line = log.lines().find_map(|line| Some(line.split_once(NAME)?.1))?;
    let value = |key: &str| {
        let (_, rest) = line.split_once(&format!(" {key}:"))?;
        Some(rest.split_once(';')?.0.trim()).filter(|value| !value.is_empty())
    };
    let cpuinfo = [("model name", "model"), ("CPU implementer", "implementer"), ("CPU part", "part")]
        .into_iter()
        .filter_map(|(name, key)| Some(format!("{name}: {}\n", value(key)?)));
    let cpuinfo: String = cpuinfo.collect();
    (!cpuinfo.is_empty()).then(|| host::cpu_model(&cpuinfo))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Read, process::Command};

    #[test]
    fn the_script_names_this_machines_cpu_and_becomes_the_program() {
        let output = Command::new("sh").args(["-c", SCRIPT, "probe", "sh", "-c", "echo $$ $PPID; echo end"]).output();
        let output = String::from_utf8(output.unwrap().stdout).unwrap();
        let expected = host::cpu_model(&std::fs::read_to_string("/proc/cpuinfo").unwrap());
        assert_eq!(cpu_model(&output), Some(expected));
        assert!(output.ends_with("\nend\n"), "{output}");
    }

    #[test]
    fn the_cpu_is_found_amid_a_log() {
        let of = |line: &str| {
            cpu_model(&format!("INIT_START Runtime Version: python:3.13.v1\n{line}\nSTART RequestId: 1\n"))
        };
        let intel = "lambda-duet-probe model: Intel(R) Xeon(R) Processor @ 2.90GHz; implementer:; part:;";
        assert_eq!(of(intel).as_deref(), Some("Intel(R) Xeon(R) Processor @ 2.90GHz"));
        assert_eq!(of("lambda-duet-probe model:; implementer: 0x41; part: 0xd0c;").as_deref(), Some("Neoverse-N1"));
        assert_eq!(of("lambda-duet-probe model:; implementer:; part:;"), None);
        assert_eq!(of("lambda-duet-probe"), None);
        assert_eq!(of("model: x;"), None);
    }

    #[test]
    fn the_layer_has_the_script_as_a_program() {
        let mut archive = zip::ZipArchive::new(Cursor::new(archive().unwrap())).unwrap();
        assert_eq!(archive.len(), 1);
        let mut file = archive.by_name(NAME).unwrap();
        assert_eq!(file.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, SCRIPT);
    }
}
