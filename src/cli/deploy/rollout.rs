//! Making the changes of a plan.

use super::{
    plan::{DeploymentPlan, advice_on_code_stack},
    print_outputs,
};
use crate::{
    campaign::stop_request::unless_asked,
    cli::{
        output::note,
        service_stack::{End, interrupted},
    },
    deployment::{Bucket, ChangeSet, Condition, Stack},
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
            Some(set) => match self.execute(set, stop).await? {
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
            && let End::Interrupted = self.execute(set, stop).await?
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
    async fn execute(&self, set: &ChangeSet, stop: &watch::Receiver<bool>) -> anyhow::Result<End> {
        let token = match set.execute(&self.place.session).await {
            Ok(token) => token,
            Err(failure) => {
                self.discard_set(set).await;
                return Err(failure.into());
            }
        };
        note(format_args!("CloudFormation changes the stack {}; that may take some minutes", set.stack_name));
        match self.place.wait(&set.stack_id, &token, stop).await? {
            End::Settled(stack) if is_done(&stack) => Ok(End::Settled(stack)),
            End::Settled(stack) => {
                let error = self.place.failure(&stack).await;
                match self.advice(&stack) {
                    Some(advice) => bail!("{error:#}; {advice}"),
                    None => Err(error),
                }
            }
            End::Interrupted => Ok(End::Interrupted),
        }
    }

    /// What to do about a stack whose change failed. Only one that came to nothing is to be deleted: others are in use.
    fn advice(&self, stack: &Stack) -> Option<String> {
        if stack.status == "UPDATE_ROLLBACK_COMPLETE" {
            return Some("it is as it was before".to_owned());
        }
        let advice = match stack.condition() {
            _ if stack.name != self.place.name.as_str() => advice_on_code_stack(stack, self.place)?,
            Condition::Broken => format!("duet delete {}", self.args.stack.again(&self.place.name)),
            Condition::Stuck => self.place.command("continue-update-rollback", stack),
            Condition::Empty | Condition::Settled | Condition::Busy | Condition::Deleted => return None,
        };
        Some(format!("before the next attempt: {advice}"))
    }
}

/// Whether a change ended as it should.
fn is_done(stack: &Stack) -> bool {
    ["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&stack.status.as_str())
}
