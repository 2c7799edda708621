terraform {
  required_version = ">= 1.11"

  required_providers {
    digitalocean = {
      source  = "digitalocean/digitalocean"
      version = ">= 2.60, < 3.0"
    }
    google = {
      source  = "hashicorp/google"
      version = ">= 7.40, < 9.0"
    }
    time = {
      source  = "hashicorp/time"
      version = ">= 0.12, < 1.0"
    }
  }

  # Bucket and prefix come from `-backend-config=environments/<name>.gcs.tfbackend`. The gcs backend locks the state itself.
  backend "gcs" {}
}
