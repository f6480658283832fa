//! An account with CloudFormation and S3, which remembers.

use crate::scripted::{Call, Reply, Scripted};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

pub const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

/// What is done about a request.
pub enum Act {
    /// What CloudFormation and S3 do.
    Answer,
    /// This is answered, and nothing done.
    Instead(Reply),
    /// It is done, and this is answered.
    DoneBut(Reply),
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// CloudFormation's action, or the method and the path of a request to S3.
    pub action: String,
    pub form: BTreeMap<String, String>,
    pub call: Call,
}

impl Request {
    fn read(call: &Call) -> Self {
        let form: BTreeMap<String, String> = if call.line == "POST /" {
            crate::service_model::parameters(&call.body).into_iter().collect()
        } else {
            BTreeMap::new()
        };
        let action = form.get("Action").unwrap_or(&call.line).clone();
        Self { action, form, call: call.clone() }
    }

    pub fn get(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    /// The names and values of the members of a list.
    pub fn list(&self, list: &str, name: &str, value: &str) -> BTreeMap<String, Option<String>> {
        let keys = (1..).map_while(|number| Some((number, self.form.get(&format!("{list}.member.{number}.{name}"))?)));
        keys.map(|(number, key)| (key.clone(), self.form.get(&format!("{list}.member.{number}.{value}")).cloned()))
            .collect()
    }
}

/// A stack.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FakeStack {
    pub id: String,
    pub status: String,
    pub description: String,
    pub template: String,
    pub parameters: BTreeMap<String, String>,
    pub outputs: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub is_protected: bool,
    /// The status after the next look.
    pub next: Option<String>,
    /// The change set.
    pub set: Option<FakeSet>,
    /// The names of change sets of other programs.
    pub other_sets: Vec<String>,
    /// The status with which the last operation began, and its token.
    pub began: Option<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FakeSet {
    name: String,
    is_first: bool,
    is_looked_at: bool,
    template: String,
    parameters: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
}

/// What there is, and what goes wrong.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub stacks: BTreeMap<String, FakeStack>,
    /// Deleted stacks, by their ids.
    pub deleted: BTreeMap<String, FakeStack>,
    pub buckets: BTreeMap<String, BTreeSet<String>>,
    /// The stack whose operations fail.
    pub failing: Option<String>,
    /// How they end, where that is not as usual.
    pub end: Option<String>,
    /// The change set that another program makes as soon as a stack is made for one.
    pub joining: Option<String>,
    /// Stacks as they were before an operation began, by their ids: so they are described once more.
    pub old: BTreeMap<String, FakeStack>,
    /// The stack whose operations never end.
    pub endless: Option<String>,
    /// The changes of a change set, where they are not some that are made up.
    pub changes: Option<String>,
    /// Events in CloudFormation's order, the latest first.
    pub events: String,
    pub count: usize,
}

pub struct Account {
    pub server: Scripted,
    state: Arc<Mutex<State>>,
}

impl Account {
    pub fn start(state: State, act: impl Fn(&Request, usize) -> Act + Send + Sync + 'static) -> Self {
        let state = Arc::new(Mutex::new(state));
        let kept = Arc::clone(&state);
        let server = Scripted::aws(move |call, number| {
            let request = Request::read(call);
            match act(&request, number) {
                Act::Instead(reply) => reply,
                Act::Answer => kept.lock().unwrap().answer(&request),
                Act::DoneBut(reply) => {
                    kept.lock().unwrap().answer(&request);
                    reply
                }
            }
        });
        Self { server, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.calls().iter().map(Request::read).collect()
    }

    /// The actions so far, without looks and in order.
    pub fn changes(&self) -> Vec<String> {
        let is_look =
            |action: &str| ["Describe", "List", "GetTemplate", "HEAD ", "GET "].iter().any(|it| action.starts_with(it));
        self.requests().into_iter().map(|request| request.action).filter(|action| !is_look(action)).collect()
    }
}

/// The ARN of a stack.
pub fn id(name: &str) -> String {
    format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/0b1c2d3e")
}

/// The ARN of a change set.
fn set_id(name: &str, number: usize) -> String {
    format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/{name}/{number}")
}

/// A stack of the service in this state.
pub fn service(name: &str, status: &str) -> FakeStack {
    FakeStack {
        id: id(name),
        status: status.to_owned(),
        description: "Lambda Duet: the same benchmark service as two functions".to_owned(),
        template: "Resources: {}".to_owned(),
        ..FakeStack::default()
    }
}

/// An error of CloudFormation's.
pub fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::status(
        status,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>1</RequestId></ErrorResponse>"
        ),
    )
}

/// An error of S3's.
pub fn s3_error(status: u16, code: &str) -> Reply {
    Reply::status(status, format!("<Error><Code>{code}</Code><Message>because</Message></Error>"))
}

fn ok(action: &str, result: &str) -> Reply {
    Reply::ok(format!(
        "<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{action}Result>{result}\
         </{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
    ))
}

fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<{name}>{text}</{name}>")
}

fn members(list: &str, items: impl IntoIterator<Item = String>) -> String {
    let items: String = items.into_iter().map(|item| format!("<member>{item}</member>")).collect();
    format!("<{list}>{items}</{list}>")
}

/// An event of a resource.
pub fn event(stack: &str, resource: &str, status: &str, reason: &str) -> String {
    let physical_id = if resource == stack { id(stack) } else { format!("{stack}-{resource}-1A") };
    let kind = if resource == stack { "AWS::CloudFormation::Stack" } else { "AWS::Lambda::Function" };
    let elements = [
        ("StackId", id(stack).as_str()),
        ("EventId", "1"),
        ("StackName", stack),
        ("LogicalResourceId", resource),
        ("PhysicalResourceId", &physical_id),
        ("ResourceType", kind),
        ("Timestamp", "2026-11-20T10:00:00Z"),
        ("ResourceStatus", status),
        ("ResourceStatusReason", reason),
    ]
    .map(|(name, text)| element(name, text));
    format!("<member>{}</member>", elements.concat())
}

/// A change of a resource.
pub fn change(action: &str, resource: &str, more: &str) -> String {
    format!(
        "<member><Type>Resource</Type><ResourceChange><Action>{action}</Action><LogicalResourceId>{resource}\
         </LogicalResourceId><ResourceType>AWS::Lambda::Function</ResourceType>{more}</ResourceChange></member>"
    )
}

impl State {
    fn answer(&mut self, request: &Request) -> Reply {
        if request.form.contains_key("ChangeSetName") {
            // Policies name stacks.
            assert!(!request.get("StackName").is_empty(), "{} names no stack", request.action);
        }
        match request.action.as_str() {
            "DescribeStacks" => self.describe(request.get("StackName")),
            "CreateChangeSet" => self.create_change_set(request),
            "DescribeChangeSet" => self.describe_change_set(request.get("ChangeSetName")),
            "ExecuteChangeSet" => self.execute(request),
            "ListChangeSets" => self.change_sets(request.get("StackName")),
            "DeleteChangeSet" => {
                // The deletion of one that is not there is no error.
                if let Some(stack) = self.with_set(request.get("ChangeSetName")) {
                    stack.set = None;
                }
                ok("DeleteChangeSet", "")
            }
            "DescribeStackEvents" => self.events(request.get("StackName")),
            "ListStackResources" => self.resources(request.get("StackName")),
            "GetTemplate" => match self.find(request.get("StackName")) {
                Some(stack) => ok("GetTemplate", &element("TemplateBody", &stack.template)),
                None => error(400, "ValidationError", "Stack does not exist"),
            },
            "DeleteStack" => {
                self.delete(request.get("StackName"), request.get("ClientRequestToken"));
                Reply::ok(
                    "<DeleteStackResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
                     <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DeleteStackResponse>",
                )
            }
            line => self.object(line),
        }
    }

    fn find(&mut self, name: &str) -> Option<&mut FakeStack> {
        let stacks = self.stacks.iter_mut().map(|(own, stack)| (own.clone(), stack));
        stacks.into_iter().find(|(own, stack)| own == name || stack.id == name).map(|(_, stack)| stack)
    }

    fn with_set(&mut self, set: &str) -> Option<&mut FakeStack> {
        self.stacks.values_mut().find(|stack| stack.set.as_ref().is_some_and(|own| own.name == set))
    }

    fn describe(&mut self, name: &str) -> Reply {
        let endless = self.endless.as_ref().map(|name| id(name));
        let found = self.find(name).cloned().or_else(|| self.deleted.get(name).cloned());
        let Some(stack) = found else {
            return error(400, "ValidationError", &format!("Stack with id {name} does not exist"));
        };
        let stack = self.old.remove(&stack.id).unwrap_or(stack);
        if let Some(next) = stack.next.as_ref().filter(|_| endless.as_ref() != Some(&stack.id)) {
            let (id, next) = (stack.id.clone(), next.clone());
            self.settle(&id, &next);
        }
        let name = stack.id.split('/').nth(1).unwrap();
        let parameter =
            |(name, value): (&String, &String)| element("ParameterKey", name) + &element("ParameterValue", value);
        let output = |(name, value): (&String, &String)| element("OutputKey", name) + &element("OutputValue", value);
        let mut text = [
            ("StackId", stack.id.as_str()),
            ("StackName", name),
            ("CreationTime", "2026-11-20T10:00:00Z"),
            ("StackStatus", &stack.status),
            ("EnableTerminationProtection", if stack.is_protected { "true" } else { "false" }),
        ]
        .map(|(name, text)| element(name, text))
        .concat();
        if !stack.description.is_empty() {
            text += &element("Description", &stack.description);
        }
        text += &members("Parameters", stack.parameters.iter().map(parameter));
        text += &members("Outputs", stack.outputs.iter().map(output));
        let tag = |(key, value): (&String, &String)| element("Key", key) + &element("Value", value);
        text += &members("Tags", stack.tags.iter().map(tag));
        ok("DescribeStacks", &members("Stacks", [text]))
    }

    /// The events of the last operation on a stack, around those that the test has.
    fn events(&mut self, name: &str) -> Reply {
        let stack = self.find(name).cloned().or_else(|| self.deleted.get(name).cloned());
        let own = |stack: &FakeStack, status: &str| {
            let name = stack.id.split('/').nth(1).unwrap();
            let token = stack.began.as_ref().map(|(_, token)| element("ClientRequestToken", token));
            event(name, name, status, "").replace("</member>", &(token.unwrap_or_default() + "</member>"))
        };
        let last = stack.as_ref().filter(|stack| stack.began.is_some() && stack.next.is_none());
        let last = last.map(|stack| own(stack, &stack.status)).unwrap_or_default();
        let first = stack.as_ref().and_then(|stack| Some(own(stack, &stack.began.as_ref()?.0))).unwrap_or_default();
        ok("DescribeStackEvents", &format!("<StackEvents>{last}{}{first}</StackEvents>", self.events))
    }

    fn change_sets(&mut self, name: &str) -> Reply {
        let Some(stack) = self.find(name) else { return error(400, "ValidationError", "Stack does not exist") };
        let own = stack.set.iter().map(|set| set.name.clone());
        let others = stack.other_sets.iter().map(|name| set_id(name, 0));
        let summary =
            |id: String| element("ChangeSetName", id.split('/').nth(1).unwrap()) + &element("ChangeSetId", &id);
        ok("ListChangeSets", &members("Summaries", own.chain(others).map(summary)))
    }

    /// What an operation has made, after it was seen in progress.
    fn settle(&mut self, id: &str, next: &str) {
        if next == "DELETE_COMPLETE" {
            let name = self.stacks.iter().find(|(_, stack)| stack.id == id).map(|(name, _)| name.clone()).unwrap();
            let stack = self.stacks.remove(&name).unwrap();
            if let Some(bucket) = stack.parameters.get("BucketName") {
                let objects = self.buckets.remove(bucket).unwrap();
                assert!(objects.is_empty(), "the bucket {bucket} still has {objects:?}");
            }
            let stack = FakeStack { status: next.to_owned(), next: None, ..stack };
            self.deleted.insert(id.to_owned(), stack);
            return;
        }
        let stack = self.find(id).unwrap();
        (stack.status, stack.next) = (next.to_owned(), None);
        if ["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&next) {
            let outputs = match stack.parameters.get("BucketName") {
                Some(bucket) => vec![("BucketName", bucket.clone())],
                None => vec![
                    ("ApiUrl", "https://a.execute-api.us-east-1.amazonaws.com/v1".to_owned()),
                    ("Arm64FunctionName", "the-arm64-function".to_owned()),
                    ("X86FunctionName", "the-x86-function".to_owned()),
                ],
            };
            stack.outputs = outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let first = stack.template.lines().skip_while(|line| !line.starts_with("Description: ")).take(2);
            let first: Vec<&str> = first.map(str::trim).collect();
            let description =
                if first[0].ends_with(">-") { first[1] } else { first[0].trim_start_matches("Description: ") };
            stack.description = description.trim_matches('"').to_owned();
            if let Some(bucket) = stack.outputs.get("BucketName").cloned() {
                self.buckets.entry(bucket).or_default();
            }
        }
    }

    fn create_change_set(&mut self, request: &Request) -> Reply {
        let name = request.get("StackName").to_owned();
        self.count += 1;
        let set = set_id(request.get("ChangeSetName"), self.count);
        let is_first = request.get("ChangeSetType") == "CREATE";
        let present = self.stacks.get(&name).map(|stack| stack.status.clone());
        match (is_first, present.as_deref()) {
            (true, None | Some("REVIEW_IN_PROGRESS")) => {}
            (true, Some(_)) => return error(400, "ValidationError", &format!("Stack [{name}] already exists")),
            (false, None | Some("REVIEW_IN_PROGRESS")) => {
                return error(400, "ValidationError", &format!("Stack [{name}] does not exist"));
            }
            (false, Some(_)) => {}
        }
        let empty = || FakeStack { id: id(&name), status: "REVIEW_IN_PROGRESS".to_owned(), ..FakeStack::default() };
        let stack = self.stacks.entry(name.clone()).or_insert_with(empty);
        stack.other_sets.extend(self.joining.take());
        let given_tags = request.list("Tags", "Key", "Value");
        let given_tags = given_tags.into_iter().map(|(key, value)| (key, value.unwrap())).collect::<BTreeMap<_, _>>();
        // Without any, the stack keeps its own.
        let tags = if given_tags.is_empty() { stack.tags.clone() } else { given_tags };
        let given = request.list("Parameters", "ParameterKey", "ParameterValue");
        // Without a value it is the previous one, which there has to be.
        let effective = |(key, value): (String, Option<String>)| {
            let value = value.unwrap_or_else(|| stack.parameters[&key].clone());
            (key, value)
        };
        let parameters = given.into_iter().map(effective).collect();
        let template = request.get("TemplateBody").to_owned();
        stack.set = Some(FakeSet { name: set.clone(), is_first, is_looked_at: false, template, parameters, tags });
        let stack_id = stack.id.clone();
        ok("CreateChangeSet", &(element("Id", &set) + &element("StackId", &stack_id)))
    }

    fn describe_change_set(&mut self, name: &str) -> Reply {
        let changes = self.changes.clone();
        let Some(stack) = self.with_set(name) else { return error(404, "ChangeSetNotFound", "there is none") };
        let set = stack.set.clone().unwrap();
        stack.set.as_mut().unwrap().is_looked_at = true;
        let is_same = set.template == stack.template && set.parameters == stack.parameters && set.tags == stack.tags;
        let (status, rest) = if !set.is_looked_at {
            ("CREATE_IN_PROGRESS", String::new())
        } else if is_same {
            let reason = "The submitted information didn't contain changes. Submit different information to create a change set.";
            ("FAILED", element("StatusReason", reason))
        } else {
            let made_up = if set.is_first {
                change("Add", "X86Function", "") + &change("Add", "Arm64Function", "")
            } else {
                let target = "<Target><Attribute>Properties</Attribute><Name>MemorySize</Name></Target>";
                let more = format!("<Replacement>False</Replacement><Details><member>{target}</member></Details>");
                change("Modify", "X86Function", &more)
            };
            ("CREATE_COMPLETE", format!("<Changes>{}</Changes>", changes.unwrap_or(made_up)))
        };
        ok("DescribeChangeSet", &(element("Status", status) + &rest))
    }

    fn execute(&mut self, request: &Request) -> Reply {
        let (failing, end) = (self.failing.clone(), self.end.clone());
        let set = request.get("ChangeSetName");
        let Some(stack) = self.with_set(set) else {
            return error(404, "ChangeSetNotFound", &format!("ChangeSet [{set}] does not exist"));
        };
        let old = stack.clone();
        let set = stack.set.take().unwrap();
        let is_failing = failing.is_some_and(|name| stack.id == id(&name));
        let (now, next) = match (set.is_first, is_failing) {
            (true, false) => ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"),
            (true, true) => ("CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"),
            (false, false) => ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"),
            (false, true) => ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"),
        };
        if !is_failing {
            (stack.template, stack.parameters, stack.tags) = (set.template, set.parameters, set.tags);
        }
        let next = end.filter(|_| is_failing).unwrap_or_else(|| next.to_owned());
        (stack.status, stack.next) = (now.to_owned(), Some(next));
        stack.began = Some((now.to_owned(), request.get("ClientRequestToken").to_owned()));
        self.old.insert(old.id.clone(), old);
        ok("ExecuteChangeSet", "")
    }

    fn delete(&mut self, name: &str, token: &str) {
        let failing = self.failing.clone();
        // The deletion of a stack that is not there is no error.
        let Some(stack) = self.find(name) else { return };
        let is_failing = failing.is_some_and(|name| stack.id == id(&name));
        let next = if is_failing { "DELETE_FAILED" } else { "DELETE_COMPLETE" };
        let old = stack.clone();
        stack.began = Some(("DELETE_IN_PROGRESS".to_owned(), token.to_owned()));
        (stack.status, stack.next) = ("DELETE_IN_PROGRESS".to_owned(), Some(next.to_owned()));
        if stack.outputs.is_empty() && !is_failing {
            // There was nothing in it.
            let id = stack.id.clone();
            self.settle(&id, next);
        } else {
            self.old.insert(old.id.clone(), old);
        }
    }

    fn resources(&mut self, name: &str) -> Reply {
        let Some(_) = self.find(name) else { return error(400, "ValidationError", "Stack does not exist") };
        let resource = |id: &str| {
            [
                ("LogicalResourceId", id),
                ("PhysicalResourceId", &format!("the-{id}")),
                ("ResourceType", "AWS::Lambda::Function"),
                ("LastUpdatedTimestamp", "2026-11-20T10:00:00Z"),
                ("ResourceStatus", "CREATE_COMPLETE"),
            ]
            .map(|(name, text)| element(name, text))
            .concat()
        };
        ok("ListStackResources", &members("StackResourceSummaries", ["X86Function"].map(resource)))
    }

    /// S3.
    fn object(&mut self, line: &str) -> Reply {
        let (method, path) = line.split_once(" /").unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let Some(objects) = self.buckets.get_mut(bucket) else {
            return if method == "HEAD" { Reply::status(404, "") } else { s3_error(404, "NoSuchBucket") };
        };
        match (method, key) {
            ("HEAD", "") => Reply::ok(""),
            ("HEAD", key) => Reply::status(if objects.contains(key) { 200 } else { 404 }, ""),
            ("PUT", key) => {
                objects.insert(key.to_owned());
                Reply::ok("")
            }
            // One on each page.
            ("GET", _) => {
                let after = query.split_once("key-marker=").map(|(_, marker)| marker.split('&').next().unwrap());
                let after = after.map(|marker| marker.replace("%2F", "/"));
                let mut left = objects.iter().filter(|key| after.as_ref().is_none_or(|after| *key > after));
                let version = left.next().map(|key| {
                    let next = element("NextKeyMarker", key) + &element("NextVersionIdMarker", "null");
                    format!("<Version><Key>{key}</Key><VersionId>null</VersionId></Version>{next}")
                });
                let is_cut = element("IsTruncated", if left.next().is_some() { "true" } else { "false" });
                Reply::ok(format!("<ListVersionsResult>{}{is_cut}</ListVersionsResult>", version.unwrap_or_default()))
            }
            ("DELETE", key) => {
                objects.remove(key);
                Reply::status(204, "")
            }
            _ => panic!("{line}"),
        }
    }
}
