//! What clones are made of: the settings of the function, and its code.

use super::{
    super::{
        configuration::{COLD_START_VARIABLE, Configuration},
        function_features::Feature,
        function_variables::unreadable,
        row::{Failure, FailureKind},
    },
    CloneName, CloneSettings, Probe, probe,
};
use crate::protocol::Architecture;
use aws_sdk_lambda::{
    Client,
    operation::{
        create_function::builders::CreateFunctionFluentBuilder,
        get_function_configuration::GetFunctionConfigurationOutput as Configured,
    },
    primitives::Blob,
    types::{
        Environment, EnvironmentResponse, EphemeralStorage, FunctionCode, ImageConfig, ImageConfigResponse, Layer,
        LoggingConfig, PackageType, TracingConfig, VpcConfig, VpcConfigResponse,
    },
};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek},
};

/// The longest ZIP file that Lambda takes in a request, in bytes.
const LONGEST_ZIP: u64 = 50 << 20;

/// The code of clones.
#[derive(Clone)]
pub(super) enum Code {
    Zip(Blob),
    Image(String),
}

/// The code for the architecture that the function does not have.
#[derive(Debug)]
pub enum CandidateCode {
    /// That of the function.
    Same,
    Zip(File),
    /// The URI of an image.
    Image(String),
}

/// A function of which clones are made.
pub struct Template {
    configured: Configured,
    own: Code,
    candidate: Code,
    /// The key with which ZIP files are encrypted; `None` for Lambda's own.
    source_key: Option<String>,
}

impl Template {
    /// A template of the function that Lambda describes as `configured`, with the code as it was fetched, or the URI of
    /// its image.
    ///
    /// # Errors
    /// When a clone would lack something that the function has.
    pub(in crate::campaign) fn new(
        configured: Configured,
        code: Option<File>,
        image: Option<&str>,
        candidate: CandidateCode,
    ) -> Result<Self, Failure> {
        check_features(&configured)?;
        if let Some(reason) = unreadable(&configured, "clones would lack them") {
            return Err(Failure::refused(reason));
        }
        let own = match (code, image) {
            (_, Some(uri)) => Code::Image(uri.to_owned()),
            (Some(mut file), None) => zip("the function's package", &mut file)?,
            (None, None) => return Err(Failure::new(FailureKind::Answer, "Lambda does not give out the code")),
        };
        let candidate = match candidate {
            CandidateCode::Same => own.clone(),
            CandidateCode::Zip(mut file) => zip("--candidate-code", &mut file)?,
            CandidateCode::Image(uri) => Code::Image(uri),
        };
        match (&own, &candidate) {
            (Code::Zip(_), Code::Image(_)) => {
                Err(Failure::refused("the function's code is a ZIP file: give that of the other architecture too"))
            }
            (Code::Image(_), Code::Zip(_)) => {
                Err(Failure::refused("the function's code is an image: give that of the other architecture too"))
            }
            _ => Ok(Self { configured, own, candidate, source_key: None }),
        }
    }

    /// The same with ZIP files encrypted by the key of the function's package.
    pub(in crate::campaign) fn with_source_key(self, source_key: Option<String>) -> Self {
        Self { source_key, ..self }
    }

    /// The function's own settings.
    pub fn configuration(&self) -> Configuration {
        Configuration::from_output(&self.configured)
    }

    /// The settings of a clone, before it is made.
    pub fn configuration_of(&self, arn: &str, settings: CloneSettings) -> Configuration {
        let CloneSettings { architecture, memory_mb } = settings;
        let mut configuration = self.configuration();
        (configuration.arn, configuration.log_group) = (Some(arn.to_owned()), None);
        (configuration.architecture, configuration.memory_mb) = (architecture, memory_mb);
        configuration
    }

    /// The role that clones have.
    pub fn role(&self) -> Option<&str> {
        self.configured.role()
    }

    /// Whether clones mount file systems, on which they may write.
    pub fn has_file_systems(&self) -> bool {
        !self.configured.file_system_configs().is_empty()
    }

    /// Why clones can have no probe, if they cannot.
    pub fn obstacle_of_probe(&self) -> Option<&'static str> {
        probe::obstacle_of(&self.configured)
    }

    fn architecture(&self) -> Architecture {
        self.configuration().architecture
    }

    /// The values of the function's variables, which messages must not show.
    pub(super) fn variables(&self) -> HashMap<String, String> {
        let variables = self.configured.environment().and_then(EnvironmentResponse::variables);
        let mut variables = variables.cloned().unwrap_or_default();
        // What a killed campaign has left is no setting of the function.
        variables.remove(COLD_START_VARIABLE);
        variables
    }

    /// The request that makes a clone. It has the function's role, code, layers, variables and network; it has none of what
    /// calls it, nor its dead-letter queue, its concurrency and its log group.
    pub(super) fn request(
        &self,
        client: &Client,
        name: &CloneName,
        tags: HashMap<String, String>,
        probe: Option<&Probe>,
    ) -> CreateFunctionFluentBuilder {
        let CloneSettings { architecture, memory_mb } = name.settings;
        let code = if architecture == self.architecture() { &self.own } else { &self.candidate };
        let (code, kind) = match code {
            Code::Zip(bytes) => {
                let code = FunctionCode::builder().zip_file(bytes.clone());
                (code.set_source_kms_key_arn(self.source_key.clone()), PackageType::Zip)
            }
            Code::Image(uri) => (FunctionCode::builder().image_uri(uri), PackageType::Image),
        };
        let configured = &self.configured;
        let request = client
            .create_function()
            .function_name(name.to_string())
            .description("A clone that Lambda Duet measures, and deletes")
            .set_role(configured.role.clone())
            .set_runtime(configured.runtime.clone().filter(|_| kind == PackageType::Zip))
            .set_handler(configured.handler.clone().filter(|_| kind == PackageType::Zip))
            .code(code.build())
            .package_type(kind)
            .architectures(match architecture {
                Architecture::Arm64 => aws_sdk_lambda::types::Architecture::Arm64,
                Architecture::X86_64 => aws_sdk_lambda::types::Architecture::X8664,
            })
            .memory_size(memory_mb.try_into().unwrap_or(i32::MAX))
            .set_timeout(configured.timeout)
            .set_kms_key_arn(configured.kms_key_arn.clone().filter(|arn| !arn.is_empty()))
            .set_file_system_configs(configured.file_system_configs.clone())
            .set_tags(Some(tags));
        self.settings(request, probe)
    }

    /// Adds the settings that requests and answers have in different forms.
    fn settings(&self, request: CreateFunctionFluentBuilder, probe: Option<&Probe>) -> CreateFunctionFluentBuilder {
        let configured = &self.configured;
        let mut variables = self.variables();
        variables.extend(probe.map(|_| Probe::variable()));
        let variables = Some(variables).filter(|variables| !variables.is_empty());
        let layers = configured.layers().iter().filter_map(Layer::arn).map(str::to_owned);
        let layers: Vec<String> = layers.chain(probe.map(|probe| probe.layer.clone())).collect();
        let tracing = configured.tracing_config().and_then(|tracing| tracing.mode().cloned());
        let size = configured.ephemeral_storage().map(EphemeralStorage::size);
        let image = configured.image_config_response().and_then(ImageConfigResponse::image_config);
        request
            .set_environment(variables.map(|it| Environment::builder().set_variables(Some(it)).build()))
            .set_layers(Some(layers).filter(|layers| !layers.is_empty()))
            .set_tracing_config(tracing.map(|mode| TracingConfig::builder().mode(mode).build()))
            .set_ephemeral_storage(size.and_then(|size| EphemeralStorage::builder().size(size).build().ok()))
            .set_vpc_config(configured.vpc_config().and_then(vpc))
            .set_logging_config(configured.logging_config().map(own_logging))
            .set_image_config(image.map(|image| {
                ImageConfig::builder()
                    .set_entry_point(image.entry_point.clone())
                    .set_command(image.command.clone())
                    .set_working_directory(image.working_directory.clone())
                    .build()
            }))
    }
}

/// Refuses functions that clones would not be like.
fn check_features(configured: &Configured) -> Result<(), Failure> {
    let features = Feature::from_output(configured);
    let refusal = features.iter().find_map(|feature| match feature {
        Feature::ManagedInstances => Some("it runs on Managed Instances, and clones would not"),
        Feature::DurableExecution => Some("its executions are durable, and take several invocations"),
        Feature::TenantIsolation => Some("it isolates tenants, and is called for one at a time"),
        Feature::EdgeReplica => {
            Some("it is a replica of Lambda@Edge, which CloudFront alone calls; name the function it was made of")
        }
        Feature::SnapStart | Feature::ContainerImage => None,
    });
    match refusal {
        Some(reason) => Err(Failure::refused(format!("it cannot be tried: {reason}"))),
        None => Ok(()),
    }
}

fn zip(what: &str, file: &mut File) -> Result<Code, Failure> {
    let unread = |error: io::Error| Failure::refused(format!("{what} cannot be read: {error}"));
    let length = file.metadata().map_err(unread)?.len();
    if length > LONGEST_ZIP {
        return Err(Failure::refused(format!(
            "{what} has {length} bytes, and Lambda takes {LONGEST_ZIP} at most in a request; move files into layers, or deploy \
             both functions yourself and compare them with `duet run`"
        )));
    }
    let mut bytes = Vec::new();
    file.rewind().map_err(unread)?;
    file.read_to_end(&mut bytes).map_err(unread)?;
    Ok(Code::Zip(Blob::new(bytes)))
}

/// The network of the function; `None` outside of one.
fn vpc(vpc: &VpcConfigResponse) -> Option<VpcConfig> {
    (!vpc.subnet_ids().is_empty()).then(|| {
        VpcConfig::builder()
            .set_subnet_ids(vpc.subnet_ids.clone())
            .set_security_group_ids(vpc.security_group_ids.clone())
            .set_ipv6_allowed_for_dual_stack(vpc.ipv6_allowed_for_dual_stack)
            .build()
    })
}

/// The form of the function's log, in a log group of the clone's own.
fn own_logging(logging: &LoggingConfig) -> LoggingConfig {
    LoggingConfig::builder()
        .set_log_format(logging.log_format.clone())
        .set_application_log_level(logging.application_log_level.clone())
        .set_system_log_level(logging.system_log_level.clone())
        .build()
}
