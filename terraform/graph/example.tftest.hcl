# The whole system as environments/example.tfvars declares it, with ids made up while planning: tests/test_terraform.py
# reads this plan and follows each channel from its topic to its dead letters.
#
#   terraform test -test-directory=graph -filter=graph/example.tftest.hcl -var-file=environments/example.tfvars
mock_provider "digitalocean" {
  override_during = plan
}

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

mock_provider "time" {
  override_during = plan
}

run "the_example_plans_as_it_stands" {
  command = plan

  assert {
    condition     = length(module.channel) > 0
    error_message = "The example must have channels."
  }
}
