"""`okendo@2025-02-01`: the webhook events of Okendo Reviews, Loyalty, Quizzes and Surveys."""
