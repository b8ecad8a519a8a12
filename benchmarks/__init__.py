"""The scales: what the codec gives for its bytes, and what it costs in time and memory."""
