//! Making clones.

use super::{CloneList, CloneName, CloneSettings, Probe, Resource, Template, remedy::with_remedy, tags};
use crate::campaign::{
    aws::{Lambda, Session},
    caller::FunctionCaller,
    control_call::{Obstacle, in_time_of, is_settled, obstacle, until_done},
    function_variables::without_values,
    owner::Owner,
    row::{Failure, FailureKind},
    stop_request,
};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::time::Duration;
use tokio::sync::watch;

/// How long a request may take that has the code in it.
pub(super) const UPLOAD: Duration = Duration::from_secs(300);

/// The clones of one campaign, while they are made.
pub struct Creation<'a> {
    pub session: &'a Session,
    pub lambda: Lambda,
    pub template: &'a Template,
    pub list: &'a CloneList,
    /// The probe that clones get, if there is one.
    pub probe: Option<Probe>,
    pub owner: &'a Owner,
    /// How long the clones are needed at most.
    pub needed: Duration,
    /// How long it may take to make one, with all attempts.
    pub within: Duration,
}

impl Creation<'_> {
    /// Makes a clone, waits until it can be called, and gives its caller. Returns early, perhaps without a clone, when `stop`
    /// turns true.
    ///
    /// # Errors
    /// With the reason why it cannot be made, and what would help. It is deleted with the others all the same: that a
    /// request has failed does not always mean that nothing was made.
    pub async fn make(&self, settings: CloneSettings, stop: &watch::Receiver<bool>) -> Result<FunctionCaller, Failure> {
        let name = CloneName::new(self.list.campaign(), settings);
        let resource = Resource::Clone(name.clone());
        self.begin(&resource)?;
        let mut attempts = 0;
        let attempt = async || {
            attempts += 1;
            self.attempt(&name, &resource, attempts > 1).await
        };
        let created = until_done(attempt, self.within, stop_request::asked(stop)).await;
        created.map_err(|failure| self.refused(&resource, failure))?;
        let lambda = Lambda::new(self.session).await?;
        let clone = FunctionCaller::new(lambda, &self.list.arn(&name), None, None);
        let ready = stop_request::unless_asked(stop, clone.wait_until_ready("{}")).await;
        ready.unwrap_or(Ok(())).map_err(with_remedy)?;
        Ok(clone)
    }

    /// The failure to make something, with what would help. What Lambda has refused is not there, and need not be deleted.
    pub(super) fn refused(&self, resource: &Resource, failure: Failure) -> Failure {
        if !self.list.is_unsettled(resource) {
            // It is looked for later, if the list cannot be written.
            let _ = self.list.deleted(resource);
        }
        with_remedy(failure)
    }

    /// Records what is about to be made.
    pub(super) fn begin(&self, resource: &Resource) -> Result<(), Failure> {
        self.list.begin(resource).map_err(|error| {
            Failure::refused(format!("the list of clones cannot be written to the run directory: {error}"))
        })
    }

    async fn attempt(&self, name: &CloneName, resource: &Resource, is_repeated: bool) -> Result<(), Obstacle> {
        let tags = tags::of(self.list.campaign(), self.owner, self.needed);
        let answer = self.lambda.request(async |client| {
            in_time_of(UPLOAD, self.template.request(&client, name, tags, self.probe.as_ref()).send()).await
        });
        let answer = answer.await;
        self.list.settle(resource, is_settled(&answer));
        match answer {
            Ok(_) => Ok(()),
            // The answer to an earlier attempt was lost.
            Err(error) if is_repeated && exists_already(&error) => Ok(()),
            Err(error) if exists_already(&error) => Err(Obstacle::Final(Failure::new(
                FailureKind::Refused,
                format!("there is a function {name} already, which this campaign has not made"),
            ))),
            Err(error) => Err(obstacle(&error, |message| without_values(&message, &self.template.variables()))),
        }
    }
}

/// Whether a function is not made because there is one of its name.
fn exists_already<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let code = error.code().unwrap_or_default();
    let message = error.message().unwrap_or_default().to_lowercase();
    code == "ResourceConflictException" && message.contains("exist")
}
