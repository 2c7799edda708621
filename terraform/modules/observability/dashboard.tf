locals {
  charts = {
    "Attempts by channel type" = {
      filter   = local.of_attempts
      aligner  = "ALIGN_RATE"
      group_by = ["metric.label.channel_type"]
    }
    "Attempts by event" = {
      filter   = local.of_attempts
      aligner  = "ALIGN_RATE"
      group_by = ["metric.label.event"]
    }
    "Unacknowledged messages" = {
      filter   = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      aligner  = "ALIGN_MEAN"
      group_by = ["resource.label.subscription_id"]
    }
    "Oldest unacknowledged message (seconds)" = {
      filter   = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      aligner  = "ALIGN_MAX"
      group_by = ["resource.label.subscription_id"]
    }
    "Pushes by response" = {
      filter   = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/push_request_count\""
      aligner  = "ALIGN_RATE"
      group_by = ["metric.label.response_class"]
    }
    "Dead letters" = {
      filter   = "${local.of_subscriptions} AND metric.type = \"pubsub.googleapis.com/subscription/dead_letter_message_count\""
      aligner  = "ALIGN_DELTA"
      group_by = ["resource.label.subscription_id"]
    }
  }

  # The order of the tiles, from throughput to failures. A map would sort them by title.
  order = [
    "Attempts by channel type", "Attempts by event", "Unacknowledged messages", "Oldest unacknowledged message (seconds)",
    "Pushes by response", "Dead letters",
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
