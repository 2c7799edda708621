"""/v1/templates: the content of each channel, in Jinja2."""

from fastapi import APIRouter

from publisher_api.fields import Name
from publisher_api.templates import service
from publisher_api.templates.model import RenderRequest, RenderView, TemplateFields, TemplateView
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/templates", tags=["configuration"], route_class=AuthenticatedRoute)


@router.put("/{template_name}", responses=problems(400, 401, 403, 413, 422, 503))
def put_template(template_name: Name, fields: TemplateFields, producer: Producer, services: Services) -> TemplateView:
    """Create or replace a template. It is compiled now, so an error appears here and not while sending."""
    return service.put_template(services.pool, services.cache, template_name, fields, producer)


@router.get("/{template_name}", responses=problems(401, 403, 404, 422, 503))
def get_template(template_name: Name, _producer: Producer, services: Services) -> TemplateView:
    """Read a template, and the variables of its texts."""
    return service.get_template(services.pool, template_name)


@router.post("/{template_name}/render", responses=problems(400, 401, 403, 404, 413, 422, 503))
def render_template(template_name: Name, request: RenderRequest, producer: Producer, services: Services) -> RenderView:
    """Show what would be sent, without sending it. A refusal names the text at fault, and the missing variable."""
    return service.render(services.pool, services.cache, template_name, request, producer)
