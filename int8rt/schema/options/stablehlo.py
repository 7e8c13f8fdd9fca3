"""Options of the StableHLO operators: the second union of the schema."""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.schema.enums import (
    CustomOptionsFormat,
    ReduceWindowFunction,
    RngAlgorithm,
    StablehloComparisonDirection,
    StablehloComparisonType,
)
from int8rt.schema.storage import Bool, Bools, Bytes, Int32, Int32s, Int64, Int64s, PrecisionConfigs, String


@dataclass(frozen=True, slots=True)
class StablehloConcatenateOptions:
    """STABLEHLO_CONCATENATE."""

    dimension: Int64 = 0


@dataclass(frozen=True, slots=True)
class StablehloBroadcastInDimOptions:
    """STABLEHLO_BROADCAST_IN_DIM."""

    broadcast_dimensions: Int64s = ()


@dataclass(frozen=True, slots=True)
class StablehloSliceOptions:
    """STABLEHLO_SLICE."""

    start_indices: Int64s = ()
    limit_indices: Int64s = ()
    strides: Int64s = ()


@dataclass(frozen=True, slots=True)
class StablehloConvolutionOptions:
    """STABLEHLO_CONVOLUTION."""

    window_strides: Int64s = ()
    padding: Int64s = ()
    lhs_dilation: Int64s = ()
    rhs_dilation: Int64s = ()
    window_reversal: Bools = ()
    input_batch_dimension: Int64 = 0
    input_feature_dimension: Int64 = 0
    input_spatial_dimensions: Int64s = ()
    kernel_input_feature_dimension: Int64 = 0
    kernel_output_feature_dimension: Int64 = 0
    kernel_spatial_dimensions: Int64s = ()
    output_batch_dimension: Int64 = 0
    output_feature_dimension: Int64 = 0
    output_spatial_dimensions: Int64s = ()
    feature_group_count: Int64 = 0
    batch_group_count: Int64 = 0
    precision_config: PrecisionConfigs = ()


@dataclass(frozen=True, slots=True)
class StablehloCustomCallOptions:
    """STABLEHLO_CUSTOM_CALL."""

    call_target_name: String = ""
    has_side_effect: Bool = False
    backend_config: String = ""
    api_version: Int32 = 0
    called_computations: Int32s = ()
    custom_attributes: Bytes = b""


@dataclass(frozen=True, slots=True)
class StablehloReduceOptions:
    """STABLEHLO_REDUCE."""

    dimensions: Int64s = ()
    body_subgraph_index: Int32 = 0


@dataclass(frozen=True, slots=True)
class StablehloScatterOptions:
    """STABLEHLO_SCATTER."""

    indices_are_sorted: Bool = False
    update_window_dims: Int64s = ()
    inserted_window_dims: Int64s = ()
    scatter_dims_to_operand_dims: Int64s = ()
    index_vector_dim: Int64 = 0
    unique_indices: Bool = False
    update_computation_subgraph_index: Int32 = 0


@dataclass(frozen=True, slots=True)
class StablehloCompareOptions:
    """STABLEHLO_COMPARE."""

    comparison_direction: StablehloComparisonDirection = StablehloComparisonDirection.EQ
    compare_type: StablehloComparisonType = StablehloComparisonType.NOTYPE


@dataclass(frozen=True, slots=True)
class StablehloDynamicSliceOptions:
    """STABLEHLO_DYNAMIC_SLICE."""

    slice_sizes: Int64s = ()


@dataclass(frozen=True, slots=True)
class StablehloPadOptions:
    """STABLEHLO_PAD."""

    edge_padding_low: Int64s = ()
    edge_padding_high: Int64s = ()
    interior_padding: Int64s = ()


@dataclass(frozen=True, slots=True)
class StablehloIotaOptions:
    """STABLEHLO_IOTA."""

    iota_dimension: Int64 = 0


@dataclass(frozen=True, slots=True)
class StablehloDotGeneralOptions:
    """STABLEHLO_DOT_GENERAL."""

    lhs_batching_dimensions: Int64s = ()
    rhs_batching_dimensions: Int64s = ()
    lhs_contracting_dimensions: Int64s = ()
    rhs_contracting_dimensions: Int64s = ()
    precision_config: PrecisionConfigs = ()


@dataclass(frozen=True, slots=True)
class StablehloReduceWindowOptions:
    """STABLEHLO_REDUCE_WINDOW."""

    window_dimensions: Int64s = ()
    window_strides: Int64s = ()
    base_dilations: Int64s = ()
    window_dilations: Int64s = ()
    padding: Int64s = ()
    body_subgraph_index: Int32 = 0


@dataclass(frozen=True, slots=True)
class StablehloSortOptions:
    """STABLEHLO_SORT."""

    dimension: Int64 = 0
    is_stable: Bool = False
    comparator_subgraph_index: Int32 = 0


@dataclass(frozen=True, slots=True)
class StablehloWhileOptions:
    """STABLEHLO_WHILE."""

    cond_subgraph_index: Int32 = 0
    body_subgraph_index: Int32 = 0


@dataclass(frozen=True, slots=True)
class StablehloGatherOptions:
    """STABLEHLO_GATHER."""

    offset_dims: Int64s = ()
    collapsed_slice_dims: Int64s = ()
    start_index_map: Int64s = ()
    index_vector_dim: Int64 = 0
    slice_sizes: Int64s = ()
    indices_are_sorted: Bool = False


@dataclass(frozen=True, slots=True)
class StablehloTransposeOptions:
    """STABLEHLO_TRANSPOSE."""

    permutation: Int64s = ()


@dataclass(frozen=True, slots=True)
class StablehloRngBitGeneratorOptions:
    """STABLEHLO_RNG_BIT_GENERATOR."""

    algorithm: RngAlgorithm = RngAlgorithm.DEFAULT


@dataclass(frozen=True, slots=True)
class ReduceWindowOptions:
    """REDUCE_WINDOW (deprecated in favour of STABLEHLO_REDUCE_WINDOW)."""

    reduce_function: ReduceWindowFunction = ReduceWindowFunction.UNSUPPORTED


@dataclass(frozen=True, slots=True)
class StableHLOCompositeOptions:
    """STABLEHLO_COMPOSITE."""

    name: String = ""
    decomposition_subgraph_index: Int32 = 0
    composite_attributes: Bytes = b""
    composite_attributes_format: CustomOptionsFormat = CustomOptionsFormat.FLEXBUFFERS
    version: Int32 = 0


@dataclass(frozen=True, slots=True)
class StablehloCaseOptions:
    """STABLEHLO_CASE."""

    branch_subgraph_indices: Int32s = ()
