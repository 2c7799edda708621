# The whole system of environments/example.tfvars. tests/test_terraform.py reads this plan and compares each channel type with
# shared/topology.py.
#
#   terraform test -test-directory=graph -filter=graph/example.tftest.hcl -var-file=environments/example.tfvars
mock_provider "digitalocean" {}
mock_provider "time" {}

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

run "the_example_environment_can_be_planned" {
  command = plan

  assert {
    condition     = length(module.channel) > 0
    error_message = "The example must have channels."
  }
}
