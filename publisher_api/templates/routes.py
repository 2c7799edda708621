"""/v1/templates: the content of each channel, in Jinja2, by language, tenant and version."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from publisher_api.fields import MAX_VERSION, Name
from publisher_api.templates import preview, service
from publisher_api.templates.model import (
    PublishRequest,
    RenderRequest,
    RenderView,
    TemplateFields,
    TemplatePage,
    TemplateView,
    VersionPage,
)
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/templates", tags=["configuration"], route_class=AuthenticatedRoute)
_MAX_LIMIT = 100
Limit = Annotated[int, Query(ge=1, le=_MAX_LIMIT)]
Tenant = Annotated[Name | None, Query(description="The tenant whose own template is meant. Default: the shared one.")]


@router.get("", responses=problems(401, 403, 422, 503))
def list_templates(
    _producer: Producer,
    services: Services,
    tenant: Tenant = None,
    limit: Limit = 20,
    after: Annotated[Name | None, Query(description="The `next` of the page before.")] = None,
) -> TemplatePage:
    """List templates with their published version. Those of a tenant are listed apart."""
    return service.list_templates(services.pool, tenant, limit, after)


@router.put("/{template_name}", responses=problems(400, 401, 403, 413, 422, 503))
def put_template(
    template_name: Name, fields: TemplateFields, producer: Producer, services: Services, tenant: Tenant = None
) -> TemplateView:
    """Store the next version of a template, and publish it. What is published already, or latest, gets no new version.

    It is compiled now, so an error appears here and not while sending. A tenant's own template replaces, channel by
    channel and language by language, what it has; the rest comes from the shared one.
    """
    return service.put_template(services.pool, services.cache, (tenant, template_name), fields, producer)


@router.get("/{template_name}", responses=problems(401, 403, 404, 422, 503))
def get_template(template_name: Name, _producer: Producer, services: Services, tenant: Tenant = None) -> TemplateView:
    """Read the published version of a template, and the variables of its texts."""
    return service.get_template(services.pool, (tenant, template_name))


@router.get("/{template_name}/versions", responses=problems(401, 403, 404, 422, 503))
def list_versions(
    template_name: Name,
    _producer: Producer,
    services: Services,
    tenant: Tenant = None,
    limit: Limit = 20,
    before: Annotated[int | None, Query(ge=1, le=MAX_VERSION, description="The `next` of the page before.")] = None,
) -> VersionPage:
    """List the versions of a template. The newest comes first."""
    return service.list_versions(services.pool, (tenant, template_name), limit, before)


@router.get("/{template_name}/versions/{version}", responses=problems(401, 403, 404, 422, 503))
def get_version(
    template_name: Name,
    version: Annotated[int, Path(ge=1, le=MAX_VERSION)],
    _producer: Producer,
    services: Services,
    tenant: Tenant = None,
) -> TemplateView:
    """Read a version of a template. A version never changes."""
    return service.get_template(services.pool, (tenant, template_name), version)


@router.post("/{template_name}/publish", responses=problems(400, 401, 403, 404, 413, 422, 503))
def publish_template(
    template_name: Name, request: PublishRequest, producer: Producer, services: Services, tenant: Tenant = None
) -> TemplateView:
    """Publish a draft, or roll back to an older version. It holds for what is accepted from now on."""
    return service.publish(services.pool, services.cache, (tenant, template_name), request.version, producer)


@router.post("/{template_name}/render", responses=problems(400, 401, 403, 404, 413, 422, 503))
def render_template(
    template_name: Name, request: RenderRequest, producer: Producer, services: Services, tenant: Tenant = None
) -> RenderView:
    """Show what would be sent, without sending it. A refusal names the text at fault, and the missing variable."""
    return preview.render(services.pool, services.cache, (tenant, template_name), request, producer)
