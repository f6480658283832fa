//! The service behind both envelopes: it answers requests with measurements or errors, and records every invocation.

use super::{
    envelope::Envelope,
    http::{self, JsonResponse, Route, json},
    logging,
    outbox::{Answered, Outbox},
};
use crate::{
    host,
    measure::{self, Budget, clock},
    protocol::{
        Architecture, CensusRequest, Environment, Error, Function, Host, Request, Response, SCHEMA, ServiceRequest,
        Status,
    },
    workload::{self, Workload},
};
use lambda_http::{Body, aws_lambda_events::apigw::ApiGatewayProxyRequest};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use rand::{TryRng, rngs::SysRng};
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};
use tokio::time::sleep;

/// The time at the end of an invocation that is reserved for freeing the workload, and serializing and sending the
/// answer.
pub const SAFETY_MARGIN: Duration = Duration::from_millis(250);

/// The memory with which Lambda gives a function one virtual CPU.
const MEMORY_MB_OF_A_VCPU: f64 = 1769.0;

/// The machine, described when it is first asked for.
static HOST: OnceLock<Host> = OnceLock::new();

/// The state that outlives an invocation.
pub struct Service {
    environment_id: String,
    init: Duration,
    invocations: AtomicU64,
    outbox: Outbox,
}

impl Service {
    /// The service of a process that began at `started` and is now ready for its first event.
    pub fn new(started: Instant, outbox: Outbox) -> Self {
        Self { environment_id: random_id(), init: started.elapsed(), invocations: AtomicU64::new(0), outbox }
    }

    /// Answers one event: as an API Gateway proxy response, or with the answer itself.
    ///
    /// # Errors
    /// For a direct invocation every [`Error`], as a function error of the same name.
    pub async fn handle(&self, event: LambdaEvent<String>) -> Result<Box<RawValue>, Diagnostic> {
        let (text, context) = event.into_parts();
        logging::begin(&context.request_id);
        let index = self.invocations.fetch_add(1, Ordering::Relaxed);
        let invocation = Invocation { index, begin: Instant::now(), context };
        let answer = match Envelope::open(text) {
            Ok(Envelope::ApiGateway(event)) => Ok(self.through_api_gateway(event, &invocation).await),
            Ok(Envelope::Direct(text)) => self.answer(ServiceRequest::parse(&text), &invocation).await,
            Err(error) => Err(self.refused(&invocation, error)),
        };
        answer.map_err(|error| Diagnostic { error_type: error.kind().to_owned(), error_message: error.to_string() })
    }

    /// A proxy response, even if the event is not a valid HTTP request.
    async fn through_api_gateway(
        &self,
        event: Result<Box<ApiGatewayProxyRequest>, Error>,
        invocation: &Invocation,
    ) -> Box<RawValue> {
        let answered = event.and_then(|event| http::readable(*event)).and_then(|event| {
            invocation.guard(|| {
                Ok(http::proxy(event, &invocation.context, |request| {
                    self.http(Route::find(&request), request.into_body(), invocation)
                }))
            })
        });
        match answered {
            Ok(answer) => answer.await,
            Err(error) => {
                let problem = JsonResponse::problem(&self.refused(invocation, error));
                http::proxy_without_request(&invocation.context, problem).await
            }
        }
    }

    async fn http(&self, route: Result<Route, Error>, body: Body, invocation: &Invocation) -> JsonResponse {
        let answer = match route {
            Ok(Route::Catalogue) => {
                logging::unmeasured(&invocation.context.request_id, &self.environment(invocation), None);
                Ok(json(&workload::catalogue(&workload::ALL)))
            }
            Ok(Route::Benchmark) => {
                let request = ServiceRequest::parse(&String::from_utf8_lossy(&body));
                self.answer(request.and_then(in_time_for_api_gateway), invocation).await
            }
            Err(error) => Err(self.refused(invocation, error)),
        };
        answer.map_or_else(|error| JsonResponse::problem(&error), JsonResponse::ok)
    }

    /// Records an error that arose before there was a request.
    fn refused(&self, invocation: &Invocation, error: Error) -> Error {
        self.record(invocation, Err(error.clone()), true);
        error
    }

    /// Does what a request asks for, writes the answer and records the outcome.
    async fn answer(
        &self,
        request: Result<ServiceRequest, Error>,
        invocation: &Invocation,
    ) -> Result<Box<RawValue>, Error> {
        let emit = request.as_ref().map_or(true, ServiceRequest::emit_metrics);
        let outcome = match request {
            Ok(ServiceRequest::Benchmark(request)) => invocation.guard(|| self.run(&request, invocation)),
            Ok(ServiceRequest::Census(request)) => self.hold(request, invocation).await,
            Err(error) => Err(error),
        };
        let answer = outcome.as_ref().map(json).map_err(Error::clone);
        self.record(invocation, outcome, emit);
        answer
    }

    fn run(&self, request: &Request, invocation: &Invocation) -> Result<Response, Error> {
        let memory_mb = function(&invocation.context).memory_mb;
        let workloads = workload::select(&request.workloads)?;
        workload::check_shape(&workloads, request.shape)?;
        let memory = u64::from(memory_mb) * MEBIBYTE;
        let check =
            |available| workloads.iter().try_for_each(|workload| check_memory(workload, request, available, memory_mb));
        check(host::surely_free_bytes(memory)).or_else(|_| check(host::free_bytes(memory)))?;
        let vcpus = f64::from(memory_mb) / MEMORY_MB_OF_A_VCPU;
        let budget = Budget::new(invocation.remaining().saturating_sub(SAFETY_MARGIN), vcpus);
        let results = measure::run(&workloads, request, &budget);
        if results.iter().all(|sample| sample.status == Status::Skipped) {
            return Err(invocation.deadline_too_short());
        }
        let complete = results.iter().all(|sample| sample.status == Status::Completed);
        Ok(Response { results, complete, ..self.response(invocation) })
    }

    /// Waits, as long as the deadline allows, so that no other call is answered by this environment meanwhile.
    async fn hold(&self, request: CensusRequest, invocation: &Invocation) -> Result<Response, Error> {
        // Describing the host takes its time too.
        let response = invocation.guard(|| Ok(self.response(invocation)))?;
        let rest = request.hold().saturating_sub(invocation.begin.elapsed());
        sleep(rest.min(invocation.remaining().saturating_sub(SAFETY_MARGIN))).await;
        let held = invocation.begin.elapsed();
        Ok(Response {
            complete: held >= request.hold(),
            held_ms: Some(whole_ms(held)),
            remaining_ms: whole_ms(invocation.remaining()),
            ..response
        })
    }

    /// A response without results.
    fn response(&self, invocation: &Invocation) -> Response {
        Response {
            schema: SCHEMA,
            request_id: invocation.context.request_id.clone(),
            function: function(&invocation.context),
            environment: self.environment(invocation),
            host: Cow::Borrowed(HOST.get_or_init(|| host::describe(clock::monotonic(), clock::cpu()))),
            build: Cow::Borrowed(host::build()),
            results: Vec::new(),
            complete: true,
            held_ms: None,
            remaining_ms: whole_ms(invocation.remaining()),
        }
    }

    fn environment(&self, invocation: &Invocation) -> Environment {
        Environment {
            id: self.environment_id.clone(),
            cold_start: invocation.index == 0,
            invocation_index: invocation.index,
            init_ms: self.init.as_secs_f64() * 1e3,
        }
    }

    /// Puts the invocation into the outbox, to be logged when its answer has been handed over.
    fn record(&self, invocation: &Invocation, outcome: Result<Response, Error>, emit_metrics: bool) {
        self.outbox.put(Answered {
            environment: self.environment(invocation),
            request_id: invocation.context.request_id.clone(),
            outcome,
            emit_metrics,
            cpu_model: HOST.get().map(|host| host.cpu_model.clone()),
            timestamp: SystemTime::now(),
            deadline: Instant::now() + invocation.remaining(),
        });
    }
}

/// One event's place in the life of the environment.
struct Invocation {
    index: u64,
    /// When the event came.
    begin: Instant,
    context: Context,
}

impl Invocation {
    /// The time before the deadline.
    fn remaining(&self) -> Duration {
        self.context.deadline().duration_since(SystemTime::now()).unwrap_or_default()
    }

    fn deadline_too_short(&self) -> Error {
        Error::DeadlineTooShort {
            detail: format!(
                "not one iteration fitted before the deadline ({} ms are left, {} ms of them kept for the answer); \
                 ask for fewer workloads, a smaller \"size\" or less \"warmup\", or give the function a longer timeout",
                self.remaining().as_millis(),
                SAFETY_MARGIN.as_millis()
            ),
        }
    }

    /// Turns a panic into [`Error::Internal`]; the panic hook has written its message to the log.
    fn guard<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|_| Err(Error::Internal { request_id: self.context.request_id.clone() }))
    }
}

const MEBIBYTE: u64 = 1024 * 1024;

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The request, unless API Gateway would not wait for its answer.
fn in_time_for_api_gateway(request: ServiceRequest) -> Result<ServiceRequest, Error> {
    if let ServiceRequest::Census(census) = &request {
        census.check_for_api_gateway()?;
    }
    Ok(request)
}

fn check_memory(workload: &Workload, request: &Request, available: u64, memory_mb: u32) -> Result<(), Error> {
    let elements = workload.elements(request.size);
    let need = workload.memory_bytes(elements);
    if need <= available {
        return Ok(());
    }
    let largest = workload.largest_within(available);
    Err(Error::InputTooLarge {
        field: Some("size".to_owned()),
        detail: format!(
            "{} at \"size\" {} needs {} MiB, but of the function's {memory_mb} MiB only {} are free; the largest size \
             that fits is {largest}",
            workload.name,
            request.size,
            need.div_ceil(MEBIBYTE),
            available / MEBIBYTE,
        ),
    })
}

fn function(context: &Context) -> Function {
    let config = &context.env_config;
    Function {
        name: config.function_name.clone(),
        version: config.version.clone(),
        memory_mb: u32::try_from(config.memory).unwrap_or(0),
        architecture: Architecture::OF_BINARY,
    }
}

/// 128 random bits in hexadecimal, from the operating system.
fn random_id() -> String {
    let mut bytes = [0; 16];
    SysRng.try_fill_bytes(&mut bytes).expect("the operating system provides random bytes");
    format!("{:032x}", u128::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_error_with_the_request_id() {
        let mut context = Context::default();
        context.request_id = "r-1".to_owned();
        let invocation = Invocation { index: 0, begin: Instant::now(), context };
        let answer = invocation.guard::<()>(|| panic!("a bug"));
        assert!(matches!(answer, Err(Error::Internal { request_id }) if request_id == "r-1"));
    }
}
