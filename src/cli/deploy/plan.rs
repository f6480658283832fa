//! What a deployment is going to change.

use super::DeployArgs;
use crate::{
    campaign::failure::Failure,
    cli::{
        output::note,
        service_stack::{ServiceStack, check_idle},
    },
    deployment::{
        Bucket, ChangeSet, Code, CodeStack, Condition, Proposal, ServiceTemplate, Stack, StackRequest, bucket_name,
        template_of,
    },
    report::{deployment, terminal},
};
use anyhow::{Context, bail};

/// The changes of both stacks, which are not made yet.
pub(super) struct DeploymentPlan<'a> {
    pub(super) args: &'a DeployArgs,
    pub(super) place: &'a ServiceStack,
    pub(super) code: &'a Code,
    /// The stack as it is.
    pub(super) present: Option<Stack>,
    pub(super) bucket: String,
    /// What changes the bucket that the deployment has of its own.
    pub(super) of_bucket: Option<ChangeSet>,
    pub(super) of_service: Option<ChangeSet>,
}

/// Where the code is going to be.
struct Target {
    bucket: String,
    of_bucket: Option<ChangeSet>,
}

impl<'a> DeploymentPlan<'a> {
    /// Lets CloudFormation say what it would change.
    pub(super) async fn new(args: &'a DeployArgs, place: &'a ServiceStack, code: &'a Code) -> anyhow::Result<Self> {
        let present = Stack::find(&place.session, place.name.as_str()).await?;
        if let Some(stack) = &present {
            check(stack, args, place).await?;
        }
        let Target { bucket, of_bucket } = target(args, place).await?;
        let template = ServiceTemplate::new(&bucket, |architecture| code.key(architecture));
        let request = StackRequest {
            name: place.name.as_str(),
            present: present.as_ref(),
            template: template.body(),
            parameters: args.parameters.clone(),
            known: ServiceTemplate::parameters().collect(),
            tags: &args.tags,
        };
        let proposal = request.propose(&place.session).await;
        let mut plan = Self { args, place, code, present, bucket, of_bucket, of_service: None };
        match proposal {
            Ok(Proposal::Changes(set)) => plan.of_service = Some(set),
            Ok(Proposal::Nothing) => {}
            Err(failure) => {
                plan.discard().await;
                return Err(failure.into());
            }
        }
        if let Err(failure) = plan.check_owner().await {
            plan.discard().await;
            return Err(failure.into());
        }
        Ok(plan)
    }

    /// Refuses a bucket of another account, to which code could not be put later.
    async fn check_owner(&self) -> Result<(), Failure> {
        let account = self.of_service.as_ref().and_then(ChangeSet::account);
        let (Some(bucket), Some(account)) = (&self.args.bucket, account) else { return Ok(()) };
        Bucket::new(&self.place.session, bucket, Some(account)).await?.check().await
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of_bucket.is_none() && self.of_service.is_none()
    }

    /// The changes as tables.
    pub(super) fn text(&self) -> String {
        let name_of_bucket = self.place.name.of_code();
        let of_bucket = self.of_bucket.iter().flat_map(|set| deployment::changes(&name_of_bucket, set));
        let of_service = self.of_service.iter().flat_map(|set| deployment::changes(self.place.name.as_str(), set));
        let blocks: Vec<_> = of_bucket.chain(of_service).collect();
        terminal::full(&blocks) + &format!("\nThe code is put into the bucket {}.\n", self.bucket)
    }

    /// Takes the proposals back.
    pub(super) async fn discard(&self) {
        for set in self.of_service.iter().chain(&self.of_bucket) {
            self.discard_set(set).await;
        }
    }

    pub(super) async fn discard_set(&self, set: &ChangeSet) {
        if let Err(failure) = set.discard(&self.place.session).await {
            note(format_args!("A change set is left, which changes nothing: {failure}"));
        }
    }
}

/// Refuses a stack that cannot be updated, or is not of this project.
async fn check(stack: &Stack, args: &DeployArgs, place: &ServiceStack) -> anyhow::Result<()> {
    let name = &stack.name;
    check_idle(stack)?;
    if !stack.is_of_service(&place.session).await? {
        bail!("the stack {name} is not one of Lambda Duet's: choose another name with --stack");
    }
    match stack.condition() {
        Condition::Broken => bail!(
            "the stack {name} is in the state {}, out of which it can only be deleted: duet delete {}",
            stack.status,
            args.stack.again(&place.name)
        ),
        Condition::Stuck => bail!(
            "an update of the stack {name} could not be rolled back ({}): {}",
            stack.status,
            place.command("continue-update-rollback", stack)
        ),
        _ => Ok(()),
    }
}

/// The bucket for the code: the one that is named, or one of its own.
async fn target(args: &DeployArgs, place: &ServiceStack) -> anyhow::Result<Target> {
    let session = &place.session;
    if let Some(bucket) = &args.bucket {
        Bucket::new(session, bucket, None).await?.check().await?;
        return Ok(Target { bucket: bucket.clone(), of_bucket: None });
    }
    let name = place.name.of_code();
    let present = Stack::find(session, &name).await?;
    let mut parameters = Vec::new();
    if let Some(stack) = &present {
        check_code_stack(stack, place).await?;
    }
    let bucket = match present.as_ref().filter(|stack| stack.condition() != Condition::Empty) {
        None => {
            let bucket = bucket_name(&place.name);
            parameters.push((CodeStack::PARAMETER.to_owned(), bucket.clone()));
            bucket
        }
        Some(stack) => {
            let bucket = CodeStack::bucket(stack).with_context(|| format!("the stack {name} names no bucket"))?;
            if args.tags.is_empty()
                && template_of(session, &stack.id)
                    .await?
                    .is_some_and(|template| template.trim() == CodeStack::TEMPLATE.trim())
            {
                return Ok(Target { bucket: bucket.to_owned(), of_bucket: None });
            }
            bucket.to_owned()
        }
    };
    let request = StackRequest {
        name: &name,
        present: present.as_ref(),
        template: CodeStack::TEMPLATE,
        parameters,
        known: vec![CodeStack::PARAMETER],
        tags: &args.tags,
    };
    let of_bucket = match request.propose(session).await? {
        Proposal::Changes(set) => Some(set),
        Proposal::Nothing => None,
    };
    Ok(Target { bucket, of_bucket })
}

/// Refuses a stack that should have the bucket of its own and has not.
async fn check_code_stack(stack: &Stack, place: &ServiceStack) -> anyhow::Result<()> {
    let name = &stack.name;
    check_idle(stack)?;
    if !CodeStack::is(stack, &place.session).await? {
        bail!("the stack {name} is not one of Lambda Duet's: name a bucket for the code with --bucket");
    }
    if let Some(advice) = advice_on_code_stack(stack, place) {
        bail!("the stack {name}, which has the bucket for the code, is in the state {}: {advice}", stack.status);
    }
    Ok(())
}

/// What makes a stack with the bucket usable again; none if it is, or nothing is known. The service is not touched by it.
pub(super) fn advice_on_code_stack(stack: &Stack, place: &ServiceStack) -> Option<String> {
    match stack.condition() {
        Condition::Broken if stack.status == "DELETE_FAILED" => Some(format!(
            "empty the bucket, and delete the stack with {}; or name another bucket with --bucket",
            place.command("delete-stack", stack)
        )),
        Condition::Broken => Some(format!("delete it with {}", place.command("delete-stack", stack))),
        Condition::Stuck => {
            Some(format!("its update has to be rolled back: {}", place.command("continue-update-rollback", stack)))
        }
        Condition::Empty | Condition::Settled | Condition::Busy | Condition::Deleted => None,
    }
}
