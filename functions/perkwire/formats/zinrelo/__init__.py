"""`zinrelo`: the batches that receivers of Zinrelo's webhooks get."""
