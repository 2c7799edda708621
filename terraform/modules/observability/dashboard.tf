locals {
  charts = {
    "Attempts by channel" = {
      filter   = local.of_attempts
      aligner  = "ALIGN_RATE"
      group_by = ["metric.label.channel"]
    }
    "Attempts by result" = {
      filter   = local.of_attempts
      aligner  = "ALIGN_RATE"
      group_by = ["metric.label.result"]
    }
    "Waiting messages" = {
      filter   = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      aligner  = "ALIGN_MEAN"
      group_by = ["resource.label.subscription_id"]
    }
    "Oldest waiting message (seconds)" = {
      filter   = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      aligner  = "ALIGN_MAX"
      group_by = ["resource.label.subscription_id"]
    }
    "Pushes by answer" = {
      filter   = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/push_request_count\""
      aligner  = "ALIGN_RATE"
      group_by = ["metric.label.response_class"]
    }
    "Messages given up" = {
      filter   = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/dead_letter_message_count\""
      aligner  = "ALIGN_DELTA"
      group_by = ["resource.label.subscription_id"]
    }
  }

  # In the order a person asks: is it flowing, is it well, does it wait, for how long, who refuses, what was lost.
  order = [
    "Attempts by channel", "Attempts by result", "Waiting messages", "Oldest waiting message (seconds)",
    "Pushes by answer", "Messages given up",
  ]
}

resource "google_monitoring_dashboard" "this" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = "Heliograph"
    mosaicLayout = {
      columns = 12
      tiles = [
        for place, title in local.order : {
          xPos   = place % 2 * 6
          yPos   = floor(place / 2) * 4
          width  = 6
          height = 4
          widget = {
            title = title
            xyChart = {
              dataSets = [{
                plotType = "LINE"
                timeSeriesQuery = {
                  timeSeriesFilter = {
                    filter = local.charts[title].filter
                    aggregation = {
                      alignmentPeriod    = "60s"
                      perSeriesAligner   = local.charts[title].aligner
                      crossSeriesReducer = local.charts[title].aligner == "ALIGN_MAX" ? "REDUCE_MAX" : "REDUCE_SUM"
                      groupByFields      = local.charts[title].group_by
                    }
                  }
                }
              }]
            }
          }
        }
      ]
    }
  })
}
