//! `duet delete`

use super::{
    interruption::interruption,
    output::{self, note},
    question,
    service_stack::{End, ServiceStack, StackOptions, check_idle, interrupted},
};
use crate::{
    campaign::stop_request::unless_asked,
    deployment::{
        Bucket, CodeStack, Condition, Operation, PREFIX, Stack, Version, account, code_locations, delete, resources,
        template_of,
    },
    report::{deployment, terminal, words::counted},
};
use anyhow::{Context, bail};
use clap::Args;
use std::process::ExitCode;
use tokio::sync::watch;

/// Deletes the service that `duet deploy` or `sam deploy` has deployed: its stack, with the logs, and the bucket that
/// `duet deploy` has made for its code.
///
/// What is deleted is shown first; then it asks. Only stacks of this project are deleted, and nothing where the bucket holds
/// anything but code of this project. What stays is named: the role with which API Gateway writes logs may serve other APIs of
/// the account by now, and a bucket that was named with --bucket is not touched.
///
/// Exit codes: 0 it is deleted, or was not there, or it was not wanted; 1 something is left; 2 wrong arguments; 130 it was
/// interrupted.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    #[command(flatten)]
    stack: StackOptions,
}

/// What there is to delete.
struct Deployed {
    service: Option<Stack>,
    of_bucket: Option<Stack>,
    bucket: Option<Contents>,
}

/// What a bucket has to be emptied of before it can be deleted.
struct Contents {
    bucket: String,
    versions: Vec<Version>,
}

impl DeleteArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let place = self.stack.service_stack().await?;
        let stop = interruption(|| None).context("catching signals")?;
        let Some(deployed) = unless_asked(&stop, Deployed::find(&place)).await.transpose()? else {
            note("Interrupted: nothing is deleted.");
            return Ok(interrupted());
        };
        if deployed.stacks().next().is_none() {
            output::print(&format!("Nothing to delete: there is no stack {} in {}.\n", place.name, place.region))?;
            return Ok(ExitCode::SUCCESS);
        }
        let elsewhere = deployed.code_elsewhere(&place).await?;
        for stack in deployed.stacks() {
            let resources = resources(&place.session, &stack.id).await?;
            output::print(&terminal::full(&deployment::resources(&stack.name, &resources)))?;
        }
        if let Some(contents) = &deployed.bucket {
            output::print(&format!("\nThe bucket {} goes with {}.\n", contents.bucket, contents.count()))?;
        }
        if !self.stack.yes {
            let bucket = deployed.bucket.iter();
            let bucket: String =
                bucket.map(|contents| format!(" and the bucket {} ({})", contents.bucket, contents.count())).collect();
            let question =
                format!("Delete {} in {}, with all logs{bucket}?", deployed.names().join(" and "), place.region);
            match question::ask_unless(&stop, question).await? {
                Some(true) => {}
                Some(false) => {
                    note("Nothing is deleted.");
                    return Ok(ExitCode::SUCCESS);
                }
                None => {
                    // The cursor is still behind the question.
                    note("\nNothing is deleted.");
                    return Ok(interrupted());
                }
            }
        }
        let Some(kept) = deployed.delete(&place, &stop).await? else { return Ok(interrupted()) };
        let mut text = format!("Deleted: {}\n", deployed.names().join(" and "));
        for what in kept.iter().chain(&elsewhere) {
            text += &format!("Still there: {what}\n");
        }
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Deployed {
    /// The stacks of this name, all of which can be deleted.
    async fn find(place: &ServiceStack) -> anyhow::Result<Self> {
        let service = Stack::find(&place.session, place.name.as_str()).await?;
        let of_bucket = Stack::find(&place.session, &place.name.of_code()).await?;
        if let Some(stack) = &service
            && !stack.is_of_service(&place.session).await?
        {
            bail!("the stack {} is not one of Lambda Duet's, and is not touched", stack.name);
        }
        let mut deployed = Self { service, of_bucket: None, bucket: None };
        // A stack of that name that is another one's is no concern of this one.
        if let Some(stack) = of_bucket
            && CodeStack::is(&stack, &place.session).await?
        {
            deployed.bucket = Contents::find(&stack, place).await?;
            deployed.of_bucket = Some(stack);
        }
        for stack in deployed.stacks() {
            check(stack, place)?;
        }
        Ok(deployed)
    }

    fn names(&self) -> Vec<&str> {
        self.stacks().map(|stack| stack.name.as_str()).collect()
    }

    /// In the order in which they are deleted.
    fn stacks(&self) -> impl Iterator<Item = &Stack> {
        self.service.iter().chain(&self.of_bucket)
    }

    /// Code in buckets that are not deleted.
    async fn code_elsewhere(&self, place: &ServiceStack) -> anyhow::Result<Vec<String>> {
        let Some(service) = self.service.as_ref().filter(|stack| stack.condition() != Condition::Empty) else {
            return Ok(Vec::new());
        };
        let template = template_of(&place.session, &service.id).await?.unwrap_or_default();
        let own = self.of_bucket.as_ref().and_then(CodeStack::bucket).map(|bucket| format!("s3://{bucket}/"));
        let is_elsewhere = |location: &String| own.as_ref().is_none_or(|own| !location.starts_with(own));
        Ok(code_locations(&template).into_iter().filter(is_elsewhere).collect())
    }

    /// Deletes the stacks. Gives what they have left in the account; none if that was interrupted.
    async fn delete(&self, place: &ServiceStack, stop: &watch::Receiver<bool>) -> anyhow::Result<Option<Vec<String>>> {
        let mut kept = Vec::new();
        for stack in self.stacks() {
            if let Some(contents) = &self.bucket
                && self.of_bucket.as_ref() == Some(stack)
            {
                let bucket = Bucket::new(&place.session, &contents.bucket, account(&stack.id)).await?;
                bucket.delete(&contents.versions).await?;
                note(format_args!("The bucket {} is emptied of {}", contents.bucket, contents.count()));
            }
            if *stop.borrow() {
                note(format_args!("Interrupted: the stack {} is still there", stack.name));
                return Ok(None);
            }
            let token = delete(&place.session, &stack.id).await?;
            note(format_args!("CloudFormation deletes the stack {}; that may take some minutes", stack.name));
            match place.wait(&stack.id, &token, stop).await? {
                End::Interrupted => return Ok(None),
                End::Settled(ended) if ended.condition() == Condition::Deleted => {
                    let operation = Operation::last(&place.session, &stack.id).await?;
                    kept.extend(operation.kept.into_iter().map(|(kind, name)| format!("{kind} {name}")));
                }
                End::Settled(ended) => return Err(place.failure(&ended).await),
            }
        }
        Ok(Some(kept))
    }
}

impl Contents {
    /// What the bucket of such a stack holds; none if there is no bucket. Refuses one that other things were put into.
    async fn find(stack: &Stack, place: &ServiceStack) -> anyhow::Result<Option<Self>> {
        let Some(name) = CodeStack::bucket(stack) else { return Ok(None) };
        let bucket = Bucket::new(&place.session, name, account(&stack.id)).await?;
        let Some(versions) = bucket.versions().await? else { return Ok(None) };
        let mut others = versions.iter().filter(|version| !version.key.starts_with(PREFIX));
        if let Some(first) = others.next() {
            bail!(
                "the bucket {name}, which would be deleted, holds more than the code of Lambda Duet: {} outside {PREFIX}, such as \
                 {}; nothing is deleted before they are elsewhere",
                counted(1 + others.count() as u64, "object"),
                first.key
            );
        }
        Ok(Some(Self { bucket: name.to_owned(), versions }))
    }

    fn count(&self) -> String {
        counted(self.versions.len() as u64, "object")
    }
}

/// Refuses a stack that cannot be deleted now.
fn check(stack: &Stack, place: &ServiceStack) -> anyhow::Result<()> {
    if stack.is_protected {
        bail!(
            "the stack {name} is protected from deletion; to end that: aws cloudformation update-termination-protection --region \
             {} --no-enable-termination-protection --stack-name {name}",
            place.region,
            name = stack.name
        );
    }
    // Deleting it once more is no harm.
    if stack.status == "DELETE_IN_PROGRESS" { Ok(()) } else { check_idle(stack) }
}
