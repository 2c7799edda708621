"""Lists the functions of a project with the Cloud Functions API."""

import httpx

from doctor.facts import DeployedFunction
from doctor.gather.google import access_token, get_json


def list_functions(client: httpx.Client, project: str, api_url: str) -> dict[str, DeployedFunction]:
    """All functions of all regions, by name. Raises ``httpx.HTTPError`` or ``GoogleAuthError``."""
    token, page, found = access_token(), "", {}
    while True:
        url = f"{api_url}/v2/projects/{project}/locations/-/functions?pageSize=500&pageToken={page}"
        listed = get_json(client, url, token) or {}
        for function in listed.get("functions", []):
            _, _, _, region, _, name = function["name"].split("/")
            function_url = function.get("serviceConfig", {}).get("uri", "")
            found[name] = DeployedFunction(name, region, function.get("state", "UNKNOWN"), function_url)
        page = listed.get("nextPageToken", "")
        if not page:
            return found
