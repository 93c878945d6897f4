"""Networks as int8 .tflite files, which compilers for microcontrollers and small NPUs read: made, and run."""
