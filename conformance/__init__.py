"""Running whole collections of models in int8rt and in other runtimes."""
