"""The functions of a project as Google Cloud lists them."""

import httpx

from doctor.facts import Deployed
from doctor.gather.google import access_token, get_json


def ask_functions(client: httpx.Client, project: str, api_url: str) -> dict[str, Deployed]:
    """Every function of every region, by name. Raises ``httpx.HTTPError`` or ``GoogleAuthError``."""
    token, page, found = access_token(), "", {}
    while True:
        url = f"{api_url}/v2/projects/{project}/locations/-/functions?pageSize=500&pageToken={page}"
        listed = get_json(client, url, token) or {}
        for function in listed.get("functions", []):
            _, _, _, region, _, name = function["name"].split("/")
            address = function.get("serviceConfig", {}).get("uri", "")
            found[name] = Deployed(name, region, function.get("state", "UNKNOWN"), address)
        page = listed.get("nextPageToken", "")
        if not page:
            return found
