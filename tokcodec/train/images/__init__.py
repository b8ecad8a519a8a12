"""What is learnt from: photographs, and pictures drawn."""
