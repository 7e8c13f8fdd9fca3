"""Options of recurrent cells, embeddings and text operators."""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.schema.enums import ActivationFunctionType, CombinerType, LSHProjectionType, LSTMKernelType
from int8rt.schema.storage import Bool, Float32, Int32, Int32s


@dataclass(frozen=True, slots=True)
class SVDFOptions:
    """SVDF."""

    rank: Int32 = 0
    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    asymmetric_quantize_inputs: Bool = False


@dataclass(frozen=True, slots=True)
class RNNOptions:
    """RNN."""

    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    asymmetric_quantize_inputs: Bool = False


@dataclass(frozen=True, slots=True)
class SequenceRNNOptions:
    """UNIDIRECTIONAL_SEQUENCE_RNN."""

    time_major: Bool = False
    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    asymmetric_quantize_inputs: Bool = False


@dataclass(frozen=True, slots=True)
class BidirectionalSequenceRNNOptions:
    """BIDIRECTIONAL_SEQUENCE_RNN."""

    time_major: Bool = False
    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    merge_outputs: Bool = False
    asymmetric_quantize_inputs: Bool = False


@dataclass(frozen=True, slots=True)
class LSTMOptions:
    """LSTM. A clip of 0 means that there is none."""

    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    cell_clip: Float32 = 0.0
    proj_clip: Float32 = 0.0
    kernel_type: LSTMKernelType = LSTMKernelType.FULL
    asymmetric_quantize_inputs: Bool = False


@dataclass(frozen=True, slots=True)
class UnidirectionalSequenceLSTMOptions:
    """UNIDIRECTIONAL_SEQUENCE_LSTM. A clip of 0 means that there is none."""

    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    cell_clip: Float32 = 0.0
    proj_clip: Float32 = 0.0
    time_major: Bool = False
    asymmetric_quantize_inputs: Bool = False
    diagonal_recurrent_tensors: Bool = False


@dataclass(frozen=True, slots=True)
class BidirectionalSequenceLSTMOptions:
    """BIDIRECTIONAL_SEQUENCE_LSTM. A clip of 0 means that there is none."""

    fused_activation_function: ActivationFunctionType = ActivationFunctionType.NONE
    cell_clip: Float32 = 0.0
    proj_clip: Float32 = 0.0
    merge_outputs: Bool = False
    time_major: Bool = True
    asymmetric_quantize_inputs: Bool = False


@dataclass(frozen=True, slots=True)
class ConcatEmbeddingsOptions:
    """CONCAT_EMBEDDINGS."""

    num_channels: Int32 = 0
    num_columns_per_channel: Int32s = ()
    embedding_dim_per_channel: Int32s = ()


@dataclass(frozen=True, slots=True)
class EmbeddingLookupSparseOptions:
    """EMBEDDING_LOOKUP_SPARSE."""

    combiner: CombinerType = CombinerType.SUM


@dataclass(frozen=True, slots=True)
class LSHProjectionOptions:
    """LSH_PROJECTION."""

    type: LSHProjectionType = LSHProjectionType.UNKNOWN


@dataclass(frozen=True, slots=True)
class SkipGramOptions:
    """SKIP_GRAM."""

    ngram_size: Int32 = 0
    max_skip_size: Int32 = 0
    include_all_ngrams: Bool = False
