#!/usr/bin/env python3
"""The step of action.yml that writes the summary as a comment on the pull request, and over its own earlier one."""

import json
import os
import sys
import urllib.error
import urllib.request

# GitHub takes 65,536 characters.
LONGEST = 65_000
CUT = "\n\nThe rest is in the summary of the job.\n"
PAGE = 100


def request(method, url, body=None):
    headers = {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=60) as answer:
        return json.load(answer)


def pull_request():
    """The number of the pull request that the workflow runs for, if it does."""
    with open(os.environ["GITHUB_EVENT_PATH"], encoding="utf-8") as file:
        return json.load(file).get("pull_request", {}).get("number")


def earlier(comments, mark):
    """The address of the comment that begins with the mark, if there is one."""
    number = 1
    while True:
        page = request("GET", f"{comments}?per_page={PAGE}&page={number}")
        for comment in page:
            if (comment["body"] or "").startswith(mark):
                return comment["url"]
        if len(page) < PAGE:
            return None
        number += 1


def comment_text(mark, summary):
    text = f"{mark}\n{summary}"
    if len(text) <= LONGEST:
        return text
    return text[: text.rindex("\n", 0, LONGEST)] + CUT


def main():
    if os.environ["COMMENT"] != "true":
        return
    number = pull_request()
    if number is None:
        print("::notice::comment: this workflow runs for no pull request, so there is nothing to comment on")
        return
    # A pull request may have a comment of each campaign of each job.
    names = [os.environ[name] for name in ["GITHUB_WORKFLOW", "GITHUB_JOB", "DIRECTORY"]]
    mark = f"<!-- lambda-duet {' '.join(names)} -->"
    with open(os.environ["SUMMARY"], encoding="utf-8") as file:
        text = comment_text(mark, file.read())
    repository = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}"
    comments = f"{repository}/issues/{number}/comments"
    own = earlier(comments, mark)
    if own is None:
        print(request("POST", comments, {"body": text})["html_url"])
    else:
        print(request("PATCH", own, {"body": text})["html_url"])


try:
    main()
except urllib.error.HTTPError as error:
    advice = "; give the job the permission pull-requests: write" if error.code == 403 else ""
    sys.exit(f"::error::comment: GitHub answered {error.code} {error.reason}{advice}")
except urllib.error.URLError as error:
    sys.exit(f"::error::comment: {error.reason}")
