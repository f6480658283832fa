//! Deploying the service: the code of both architectures in a bucket, and the template of this project as a stack of
//! CloudFormation, which is the one that SAM CLI deploys.

mod bucket;
mod change_set;
mod code;
mod code_stack;
mod events;
mod stack;
mod template;

pub use bucket::{Bucket, Version};
pub use change_set::{Action, Change, ChangeSet, NAMES, Proposal, Replacement, StackRequest};
pub use code::{Code, CodeError, LOOKED_FOR, PREFIX, installed};
pub use code_stack::{CodeStack, beginning_of_bucket, bucket_name};
pub use events::{FailedResource, Operation};
pub use stack::{Condition, Resource, Stack, StackName, Waiting, account, delete, resources, settled, template_of};
pub use template::{ServiceTemplate, code_locations};
