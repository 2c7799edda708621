"""A template has versions, variants by language, and an overlay for each tenant. A notification says what it used.

Two triggers keep the table ``templates`` equal to the published templates, because the release before this one reads
and writes it while this one is deployed, and after a rollback. That release knows no languages, so what it writes keeps
those of the published version. A later migration deletes the table with them.

Revision ID: 0014
"""

from typing import Any

from alembic import op

revision = "0014"
down_revision = "0013"

SCHEMA = """
-- What is written between the copy and the trigger would be lost.
lock table templates in share row exclusive mode;

create table template_versions (
    tenant        text not null,  -- empty: the template that all tenants share
    template_name text not null,
    version       int not null,
    content       jsonb not null,  -- channel or channel type → content, each text a Jinja template
    locales       jsonb not null,  -- language tag → the same
    created_at    timestamptz not null default now(),
    primary key (tenant, template_name, version)
);

create table published_templates (
    tenant        text not null,
    template_name text not null,
    version       int not null,
    primary key (tenant, template_name),
    foreign key (tenant, template_name, version) references template_versions
);

insert into template_versions (tenant, template_name, version, content, locales, created_at)
select '', template_name, 1, content, '{}', updated_at from templates;
insert into published_templates (tenant, template_name, version) select '', template_name, 1 from templates;

create trigger template_versions_changed after insert or update or delete on template_versions
    for each statement execute function tell_catalog();
create trigger published_templates_changed after insert or update or delete on published_templates
    for each statement execute function tell_catalog();

create function show_published_template_to_previous_release() returns trigger language plpgsql as $$
begin
    if new.tenant = '' then
        insert into templates as t (template_name, content)
        select v.template_name, v.content from template_versions v
         where v.tenant = '' and v.template_name = new.template_name and v.version = new.version
            on conflict (template_name) do update set content = excluded.content, updated_at = now()
         where t.content <> excluded.content;
    end if;
    return null;
end $$;
create trigger published_templates_shown after insert or update on published_templates
    for each row execute function show_published_template_to_previous_release();

create function publish_template_of_previous_release() returns trigger language plpgsql as $$
declare
    published template_versions;
    next      int;
begin
    select v.* into published
      from published_templates join template_versions v using (tenant, template_name, version)
     where tenant = '' and template_name = new.template_name;
    if published.content is distinct from new.content then
        select coalesce(max(version), 0) + 1 into next from template_versions
         where tenant = '' and template_name = new.template_name;
        insert into template_versions (tenant, template_name, version, content, locales)
        values ('', new.template_name, next, new.content, coalesce(published.locales, '{}'));
        insert into published_templates (tenant, template_name, version) values ('', new.template_name, next)
            on conflict (tenant, template_name) do update set version = excluded.version;
    end if;
    return null;
end $$;
create trigger templates_published after insert or update on templates
    for each row execute function publish_template_of_previous_release();

alter table notifications
    add column template_version int,
    add column tenant_template_version int,
    add column locale text;
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
