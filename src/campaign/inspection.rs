//! What a function is made of: its description, and its packages as Lambda gives them out. Nothing is changed.

use super::{
    aws::{Lambda, Session},
    caller::{FunctionCaller, classify::failure},
    clones::{CandidateCode, Template},
    configuration,
    failure::{Failure, FailureKind},
    pauses,
    target::LATEST,
};
use crate::{
    portability::{FunctionDescription, Package, PackageName},
    protocol::Architecture,
    transport::{Transport, with_causes},
};
use aws_sdk_lambda::{operation::get_function::GetFunctionOutput, types};
use aws_smithy_types::body::SdkBody;
use base64::{Engine, prelude::BASE64_STANDARD};
use http_body_util::BodyExt;
use hyper::Request;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Seek, Write},
    time::Duration,
};
use tokio::time::timeout;

/// The longest package that is fetched, in bytes: the most that Lambda takes, of all packages together and unpacked.
const LONGEST_PACKAGE: usize = 250 << 20;

/// How long a package may send nothing.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// A function before anything is made of it.
#[derive(Debug)]
pub struct Inspected {
    pub arn: String,
    pub description: FunctionDescription,
    /// Its code and its layers; none of an image.
    pub packages: Vec<Package<File>>,
    code_sha256: Option<String>,
    /// The URI of its image with the digest, which does not change with a new push to the same tag.
    image: Option<String>,
    /// The key with which its package is encrypted, if that is one of the user's own.
    source_key: Option<String>,
}

impl Inspected {
    /// The code of the function; `None` of an image.
    ///
    /// # Errors
    /// When the file cannot be opened a second time.
    pub fn code(&self) -> io::Result<Option<File>> {
        let code = self.packages.iter().find(|package| package.name == PackageName::Code);
        code.and_then(|code| code.archive.as_ref().ok()).map(File::try_clone).transpose()
    }

    /// Reads the settings of the function, for clones of it; `code` is its package.
    ///
    /// # Errors
    /// When they cannot be read or cloned, or the code is another one by now.
    pub async fn template(
        &self,
        session: &Session,
        (name, qualifier): (&str, Option<&str>),
        code: Option<File>,
        candidate: CandidateCode,
    ) -> Result<Template, Failure> {
        let function = FunctionCaller::new(Lambda::new(session).await?, name, qualifier, None);
        let read = async || function.configured().await.map_err(|error| failure(&error));
        let configured = pauses::repeated(read).await?;
        if self.code_sha256.is_some() && configured.code_sha256 != self.code_sha256 {
            return Err(Failure::refused("its code was changed just now; try again"));
        }
        Template::new(configured, code, self.image.as_deref(), candidate)
            .map(|template| template.with_source_key(self.source_key.clone()))
    }
}

/// Reads a function's description and fetches its packages.
///
/// # Errors
/// When there is no such function, or it may not be read, or its code cannot be fetched.
pub async fn inspect(session: &Session, name: &str, qualifier: Option<&str>) -> Result<Inspected, Failure> {
    let lambda = Lambda::new(session).await?;
    let qualifier = qualifier.filter(|qualifier| *qualifier != LATEST).map(str::to_owned);
    let get = async |client: aws_sdk_lambda::Client| {
        client.get_function().function_name(name).set_qualifier(qualifier.clone()).send().await
    };
    let GetFunctionOutput { configuration, code, .. } =
        pauses::repeated(async || lambda.request(get).await.map_err(|error| failure(&error))).await?;
    let missing = |what: &str| Failure::new(FailureKind::Answer, format!("Lambda's answer has no {what}"));
    let configuration = configuration.ok_or_else(|| missing("Configuration"))?;
    let code = code.ok_or_else(|| missing("Code"))?;
    let description = FunctionDescription {
        runtime: configuration.runtime().map(types::Runtime::as_str).filter(|name| !name.is_empty()).map(str::to_owned),
        handler: configuration.handler.clone(),
        architecture: configuration::architecture(configuration.architectures()),
        image: code.image_uri.clone(),
    };
    let mut packages = Vec::new();
    if description.image.is_none() {
        let sha256 = configuration.code_sha256();
        let archive = fetch(session.transport(), code.location().ok_or_else(|| missing("Code.Location"))?, sha256);
        packages.push(Package { name: PackageName::Code, compatible_architectures: None, archive: Ok(archive.await?) });
        for layer in configuration.layers().iter().filter_map(types::Layer::arn) {
            packages.push(layer_package(session, &lambda, layer).await);
        }
    }
    let arn = configuration.function_arn.unwrap_or_else(|| name.to_owned());
    let source_key = code.source_kms_key_arn;
    let image = code.resolved_image_uri.or(code.image_uri);
    Ok(Inspected { arn, description, packages, code_sha256: configuration.code_sha256, image, source_key })
}

/// A layer, or why it was not fetched: it may be that of another account, which lets it be used and not be read.
async fn layer_package(session: &Session, lambda: &Lambda, arn: &str) -> Package<File> {
    let get = async |client: aws_sdk_lambda::Client| client.get_layer_version_by_arn().arn(arn).send().await;
    let found = pauses::repeated(async || lambda.request(get).await.map_err(|error| failure(&error))).await;
    let (architectures, archive) = match found {
        Err(failure) => (Vec::new(), Err(failure)),
        Ok(found) => {
            let content = found.content();
            let archive = match content.and_then(types::LayerVersionContentOutput::location) {
                Some(url) => {
                    let sha256 = content.and_then(types::LayerVersionContentOutput::code_sha256);
                    fetch(session.transport(), url, sha256).await
                }
                None => Err(Failure::new(FailureKind::Answer, "Lambda's answer has no Content.Location")),
            };
            (architectures(found.compatible_architectures()), archive)
        }
    };
    Package {
        name: PackageName::Layer(arn.to_owned()),
        compatible_architectures: Some(architectures).filter(|architectures| !architectures.is_empty()),
        archive: archive.map_err(|failure| failure.message),
    }
}

fn architectures(names: &[types::Architecture]) -> Vec<Architecture> {
    let architecture = |name: &types::Architecture| match name {
        types::Architecture::Arm64 => Some(Architecture::Arm64),
        types::Architecture::X8664 => Some(Architecture::X86_64),
        _ => None,
    };
    names.iter().filter_map(architecture).collect()
}

/// Fetches a package into a temporary file without a name, and checks that it is what Lambda has.
async fn fetch(transport: &Transport, url: &str, sha256: Option<&str>) -> Result<File, Failure> {
    let lost = |reason: String| Failure::new(FailureKind::Network, format!("fetching a package: {reason}"));
    let late = || lost(format!("nothing came for {}", humantime::format_duration(LONGEST_SILENCE)));
    let kept = |error: io::Error| Failure::refused(format!("a package cannot be kept in a temporary file: {error}"));
    let request = Request::get(url).body(SdkBody::empty()).map_err(|error| lost(error.to_string()))?;
    let sent = transport.send_for(request, LONGEST_PACKAGE);
    let response =
        timeout(LONGEST_SILENCE, sent).await.map_err(|_| late())?.map_err(|error| lost(with_causes(&error)))?;
    if !response.status().is_success() {
        return Err(lost(format!("HTTP {}", response.status())));
    }
    let mut body = response.into_body();
    let (mut file, mut digest) = (tempfile::tempfile().map_err(kept)?, Sha256::new());
    while let Some(frame) = timeout(LONGEST_SILENCE, body.frame()).await.map_err(|_| late())? {
        let frame = frame.map_err(|error| lost(with_causes(error.as_ref())))?;
        if let Some(data) = frame.data_ref() {
            digest.update(data);
            file.write_all(data).map_err(kept)?;
        }
    }
    let found = BASE64_STANDARD.encode(digest.finalize());
    if sha256.is_some_and(|sha256| sha256 != found) {
        return Err(lost(format!("its SHA-256 is {found}, where Lambda has {}", sha256.unwrap_or_default())));
    }
    file.rewind().map_err(kept)?;
    Ok(file)
}
