#!/usr/bin/env python3
"""Checks what SAM makes of template.yaml: what no linter asks and no emulator enforces.

Runs with the Python of .tools/sam, which has SAM's own translator.
"""

import json
import logging
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from jsonschema import Draft4Validator
from samtranslator.public.translator import Translator
from samtranslator.parser.parser import Parser
from samtranslator.yaml_helper import yaml_parse

logging.disable(logging.WARNING)  # the translator's remarks about its own features

ROUTES = {
    ("post", "/arm64/benchmark"): "Arm64Function",
    ("get", "/arm64/workloads"): "Arm64Function",
    ("post", "/x86_64/benchmark"): "X86Function",
    ("get", "/x86_64/workloads"): "X86Function",
}
LOG_ACTIONS = {"logs:CreateLogStream", "logs:PutLogEvents"}
# What AWS lets a policy allow on no resource in particular; the first has its namespace instead.
WITHOUT_RESOURCE = {"cloudwatch:PutMetricData", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
# Requests that are refused for what no schema can know.
ONLY_THE_FUNCTION_KNOWS = {
    "direct-invalid-census-of-workloads",
    "direct-invalid-too-large",
    "direct-invalid-unknown-workload",
}
ASKED_FOR = {"Duration", "CpuTime", "PeakHeap", "MaxRss", "ColdStart", "Errors"}
ONLY_OUR_NAMESPACE = {"StringEquals": {"cloudwatch:namespace": "LambdaDuet"}}


def transformed(path):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file)
    # Code is uploaded by `sam package`; the translator wants to see where to.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    resources = Translator({}, Parser()).translate(template, {})["Resources"]
    return lambda kind: {name: r["Properties"] for name, r in resources.items() if r["Type"] == kind}


def routes(body):
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            assert operation.get("security") == [{"AWS_IAM": []}], f"{method} {path} is open"
            integration = operation["x-amazon-apigateway-integration"]
            assert "credentials" not in integration, f"{method} {path} lends its caller's credentials"
            yield (method, path), integration["uri"]["Fn::Sub"]
    scheme = body["components"]["securitySchemes"]["AWS_IAM"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4", "AWS_IAM is not IAM"


def check_api(of_type):
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    found = dict(routes(api["Body"]))
    assert found.keys() == ROUTES.keys(), f"the routes are {sorted(found)}"
    for route, function in ROUTES.items():
        assert f"/${{{function}.Arn}}/" in found[route], f"{route} does not lead to {function}"
    assert "access-control" not in json.dumps(api, default=str).lower(), "other sites may call the API"


def check_stage(of_type):
    (stage,) = of_type("AWS::ApiGateway::Stage").values()
    (everything,) = stage["MethodSettings"]
    assert (everything["ResourcePath"], everything["HttpMethod"]) == ("/*", "*"), "some routes are not throttled"
    for limit, parameter in (("Rate", "ThrottleRate"), ("Burst", "ThrottleBurst")):
        assert everything[f"Throttling{limit}Limit"] == {"Ref": parameter}, f"{parameter} limits nothing"
    access_log = stage["AccessLogSetting"]
    assert access_log["DestinationArn"] == {"Fn::GetAtt": ["AccessLogGroup", "Arn"]}, "access logs go elsewhere"
    record = json.loads(access_log["Format"])
    assert {"caller", "source_ip", "status", "function_request_id"} <= record.keys(), "access logs do not say who"


def check_doors(of_type):
    """Who may invoke the functions: API Gateway for this API, and whom IAM allows."""
    assert not of_type("AWS::Lambda::Url"), "a function URL is an entry point of its own"
    for name, permission in of_type("AWS::Lambda::Permission").items():
        assert permission["Principal"] == "apigateway.amazonaws.com", f"{name} lets {permission['Principal']} in"
        assert "${__ApiId__}" in permission["SourceArn"]["Fn::Sub"][0], f"{name} lets every API in"
        assert permission["SourceArn"]["Fn::Sub"][1]["__ApiId__"] == {"Ref": "Api"}, f"{name} lets another API in"


def model(of_type):
    """The schema by which the API checks bodies, and for which routes it does."""
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    body = api["Body"]
    for path, methods in body["paths"].items():
        if "post" in methods:
            validator = body["x-amazon-apigateway-request-validators"][
                methods["post"]["x-amazon-apigateway-request-validator"]
            ]
            assert validator["validateRequestBody"], f"bodies of {path} are not checked"
            content = methods["post"]["requestBody"]["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/benchmarkrequest"}, f"{path}: {content}"
    schema = body["components"]["schemas"]["benchmarkrequest"]
    Draft4Validator.check_schema(schema)
    return Draft4Validator(schema)


def check_model(of_type):
    """The model has the fields and bounds of the documentation. Of the requests in events/, it lets through what
    the function takes, and what the function alone can judge."""
    validator = model(of_type)
    fields = validator.schema["properties"]
    request = section("docs/service.md", "## Request")
    documented = set(re.findall(r"^\| `(\w+)`", request, re.MULTILINE))
    assert fields.keys() == documented, f"the model differs in {sorted(fields.keys() ^ documented)} from docs/service.md"
    for field, least, most in re.findall(r"^\| `(\w+)` .*\| (\d+)–(\d+) \|$", request, re.MULTILINE):
        bounds = fields[field]["minimum"], fields[field]["maximum"]
        assert bounds == (int(least), int(most)), f"the model bounds {field} by {bounds}, unlike docs/service.md"
    for path in Path("events").glob("direct-*.json"):
        allowed = validator.is_valid(json.loads(path.read_text(encoding="utf-8")))
        right = "invalid" not in path.stem or path.stem in ONLY_THE_FUNCTION_KNOWS
        assert allowed == right, f"the model {'takes' if allowed else 'refuses'} {path}"


def check_dashboard(of_type):
    """Every widget has its place, and shows what the service or AWS measures."""
    (dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
    body = json.loads(dashboard["DashboardBody"]["Fn::Sub"])
    documented = set(re.findall(r"`(\w+)`", section("docs/service.md", "## Metrics")))
    shown, taken = set(), set()
    for widget in body["widgets"]:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken and all(x < 24 for x, _ in cells), f"{widget} lies on another"
        taken |= cells
        shown |= {line[1] for line in widget["properties"].get("metrics", []) if line[0] == "LambdaDuet"}
    assert shown <= documented, f"the dashboard shows {sorted(shown - documented)}, which docs/service.md does not know"
    assert ASKED_FOR <= shown, f"the dashboard does not show {sorted(ASKED_FOR - shown)}"


def section(path, heading):
    """The text of a page below a heading, up to the next one."""
    text = Path(path).read_text(encoding="utf-8")
    return text.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]


def check_functions(of_type):
    functions = of_type("AWS::Lambda::Function")
    architectures = {name: f.pop("Architectures") for name, f in functions.items()}
    assert architectures == {"Arm64Function": ["arm64"], "X86Function": ["x86_64"]}, architectures
    groups = {f["LoggingConfig"].pop("LogGroup")["Ref"] for f in functions.values()}
    assert len(groups) == 2 and groups < of_type("AWS::Logs::LogGroup").keys(), f"logs go to {groups}"
    arm64, x86 = ({key: f[key] for key in f.keys() - {"Description"}} for f in functions.values())
    assert arm64 == x86, "the functions differ in more than architecture, description and log group"


def statements(policy):
    """A policy's statements, also those that a condition of the template decides on."""
    for statement in policy["PolicyDocument"]["Statement"]:
        yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def check_permissions(of_type):
    roles = of_type("AWS::IAM::Role")
    for name, role in roles.items():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert set(trust["Principal"]) == {"Service"}, f"{name} can be assumed by others than a service"
    role = roles["FunctionRole"]
    assert "ManagedPolicyArns" not in role, "managed policies allow more than is needed"
    (policy,) = role["Policies"]
    granted = set()
    for statement in statements(policy):
        actions = set(statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
        granted |= actions
        if statement["Resource"] == "*":
            assert actions <= WITHOUT_RESOURCE, f"{sorted(actions)} on everything"
        else:
            assert all("Fn::GetAtt" in r for r in statement["Resource"]), f"{sorted(actions)} on foreign resources"
        if "cloudwatch:PutMetricData" in actions:
            assert statement["Condition"] == ONLY_OUR_NAMESPACE, "metrics may go to any namespace"
    assert granted == LOG_ACTIONS | WITHOUT_RESOURCE, f"the role allows {sorted(granted)}"


def check_log_groups(of_type):
    for name, group in of_type("AWS::Logs::LogGroup").items():
        assert "RetentionInDays" in group, f"{name} is kept for ever"


def check_alarms(of_type):
    watched = {(a["MetricName"], json.dumps(a["Dimensions"])) for a in of_type("AWS::CloudWatch::Alarm").values()}
    for function in ("Arm64Function", "X86Function"):
        for metric in ("Errors", "Throttles"):
            dimensions = [{"Name": "FunctionName", "Value": {"Ref": function}}]
            assert (metric, json.dumps(dimensions)) in watched, f"nothing watches the {metric} of {function}"


CHECKS = (
    check_api,
    check_stage,
    check_doors,
    check_model,
    check_log_groups,
    check_functions,
    check_permissions,
    check_dashboard,
    check_alarms,
)

if __name__ == "__main__":
    of_type = transformed("template.yaml")
    try:
        for check in CHECKS:
            check(of_type)
    except AssertionError as error:
        sys.exit(f"template.yaml: {error}")
    print(f"template.yaml: {len(CHECKS)} checks of what SAM makes of it passed")
