"""Every quantity that a record's ``usage`` may tell, with its unit and what it is; a new meter adds its own here.

The unit is the end of the name. A name that stands in no record was not measured; see ``unavailable`` there.
"""

import re

UNITS = {
    "_seconds": "s",
    "_flops": "operations",
    "_bytes": "bytes",
    "_joules": "J",
    "_noise": "share",
    "_steps": "steps",
    "_tokens": "pieces",
    "_examples": "rows",
    "_processes": "processes",
    "_parameters": "parameters",
}
QUANTITIES = {
    # training
    "train_seconds": "the steps of training, with all their parts",
    "train_data_seconds": "of these: rows into tensors on the device",
    "train_forward_seconds": "of these: forward passes",
    "train_backward_seconds": "of these: backward passes",
    "train_optimizer_seconds": "of these: the optimizer, clipping included",
    "train_flops": "matrix products of training as they were really computed",
    "train_forward_flops": "of these: forward passes",
    "train_activation_gradient_flops": "of these: gradients that flow back through the layers",
    "train_weight_gradient_flops": "of these: gradients of weights",
    "nominal_train_flops": "6 x tokens x all non-embedding parameters, as commonly reported",
    "train_steps": "optimizer steps",
    "train_tokens": "pieces of all batches that were trained on, padding included",
    "train_examples": "rows that were trained on, each as often as it was",
    "trainable_parameters": "parameters that training may change",
    "total_parameters": "all parameters of the network",
    "validate_seconds": "validating during training",
    "validate_flops": "matrix products of validating",
    "checkpoint_seconds": "writing checkpoints of a training",
    "warmup_seconds": "first-time costs of a process; never charged",
    "lost_seconds": "work that a kill lost; never charged",
    "energy_joules": "what the whole GPU board drew while training and validating",
    "peak_memory_bytes": "the most memory in use: torch's tensors on a GPU, the process's resident set on a CPU",
    "peak_reserved_memory_bytes": "the most memory that torch took from the GPU",
    "peak_other_gpu_processes": "other processes seen on the GPU before or after a phase",
    # rows
    "labelled_examples": "rows to train on that this life had not bought before",
    "validation_examples": "rows to validate on that this life had not bought before",
    "test_examples": "rows to test on that this life had not bought before",
    # evaluating
    "evaluate_seconds": "evaluating one endpoint on its test set",
    "evaluate_flops": "matrix products of evaluating",
    # the serving probe
    "probe_seconds": "taking all times of a serving probe; never charged",
    "probe_flops": "matrix products of a serving probe; never charged",
    "request_flops": "matrix products of one request",
    "request_seconds_noise": "half of the 95 % interval of a request's seconds, as a share of their median",
    "batch_seconds_noise": "the widest such share over all sizes of batches",
    "request_after_idle_seconds": "one request alone that comes to a replica which had nothing to do",
    "request_of_N_tokens_seconds": "one request of N pieces: half and twice the usual length",
    "mixed_request_seconds": "each of 16 requests of four tasks that share an encoder",
    "merged_request_seconds": "one request once a LoRA or (IA)3 adapter is merged into the weights",
    "switch_seconds": "making another loaded adapter the active one",
    "load_seconds": "from files to a network on the device: base model and artifacts",
    "artifact_load_seconds": "of these: the artifacts alone",
    "resident_bytes": "weights in memory, all of them",
    "own_bytes": "of these: what lies on top of the encoder",
    "adapters_bytes": "of these: adapters, without their heads",
    "added_adapter_bytes": "one further adapter with its head",
}


def meaning(quantity: str) -> str:
    """What a quantity is; empty for one that nobody told of here. A number of pieces within a name stands for N."""
    return QUANTITIES.get(re.sub(r"_of_\d+_tokens_", "_of_N_tokens_", quantity), "")


def unit(quantity: str) -> str:
    """The unit of a quantity, read from its name; empty for a bare number."""
    return next((said for end, said in UNITS.items() if quantity.endswith(end)), "")
