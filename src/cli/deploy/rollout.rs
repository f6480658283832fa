//! Making the changes of a plan.

use super::{plan::DeploymentPlan, print_outputs};
use crate::{
    campaign::stop_request::unless_asked,
    cli::{
        output::note,
        service_stack::{End, interrupted},
    },
    deployment::{Bucket, ChangeSet, Stack},
    protocol::Architecture,
};
use anyhow::{Context, bail};
use std::process::ExitCode;
use tokio::sync::watch;

impl DeploymentPlan<'_> {
    /// Makes the bucket, puts the code there, and changes the stack of the service.
    pub(super) async fn roll_out(&self, stop: &watch::Receiver<bool>) -> anyhow::Result<ExitCode> {
        match self.prepare(stop).await {
            Ok(true) => {}
            prepared => {
                self.discard().await;
                return prepared.map(|_| interrupted());
            }
        }
        let stack = match &self.of_service {
            None => self.present.clone().context("nothing of the stack was to be changed, and it is gone")?,
            Some(set) => match self.execute(self.place.name.as_str(), set, stop).await? {
                End::Settled(stack) => stack,
                End::Interrupted => return Ok(interrupted()),
            },
        };
        print_outputs(self.place, &stack)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Makes what the stack of the service needs; false if that was interrupted.
    async fn prepare(&self, stop: &watch::Receiver<bool>) -> anyhow::Result<bool> {
        if let Some(set) = &self.of_bucket
            && let End::Interrupted = self.execute(&self.place.name.of_code(), set, stop).await?
        {
            return Ok(false);
        }
        let Some(set) = &self.of_service else { return Ok(true) };
        unless_asked(stop, self.upload(set.account())).await.transpose().map(|done| done.is_some())
    }

    /// Puts the code where it is not yet.
    async fn upload(&self, owner: Option<&str>) -> anyhow::Result<()> {
        let bucket = Bucket::new(&self.place.session, &self.bucket, owner).await?;
        for architecture in Architecture::ALL {
            let (key, package) = (self.code.key(architecture), self.code.package(architecture));
            if bucket.put(&key, package).await? {
                let megabytes = package.len() as f64 / 1e6;
                note(format_args!("The code for {architecture}, {megabytes:.1} MB, is in s3://{}/{key}", self.bucket));
            }
        }
        Ok(())
    }

    /// Executes a change set, and waits for its end.
    async fn execute(&self, name: &str, set: &ChangeSet, stop: &watch::Receiver<bool>) -> anyhow::Result<End> {
        set.execute(&self.place.session).await?;
        note(format_args!("CloudFormation changes the stack {name}; that may take some minutes"));
        match self.place.wait(&set.stack_id, stop).await? {
            End::Settled(stack) if is_done(&stack) => Ok(End::Settled(stack)),
            End::Settled(stack) => {
                let error = self.place.failure(&stack).await;
                if stack.status == "UPDATE_ROLLBACK_COMPLETE" {
                    bail!("{error:#}; it is as it was before");
                }
                let again = self.args.stack.again(&self.place.name);
                bail!("{error:#}; before the next attempt: duet delete {again}");
            }
            End::Interrupted => Ok(End::Interrupted),
        }
    }
}

/// Whether a change ended as it should.
fn is_done(stack: &Stack) -> bool {
    ["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&stack.status.as_str())
}
