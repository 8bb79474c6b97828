//! `midflight schema`: what files may say, for editors and for readers.

use crate::cli::args::{SchemaKind, SchemaOf};
use crate::cli::{Status, print};
use crate::scenario::schema::model::ModelKind;
use crate::scenario::{
    figure_schema, figures_markdown, json_schema, model_schema, reference_markdown, references_markdown, sweep_schema,
    sweeps_markdown,
};

pub(in crate::cli) fn schema(arguments: &SchemaOf) -> Status {
    if arguments.markdown {
        return print(&match arguments.kind {
            SchemaKind::Reference => references_markdown(),
            SchemaKind::Sweep => sweeps_markdown(),
            SchemaKind::Figure => figures_markdown(),
            _ => reference_markdown(),
        });
    }
    let schema = match arguments.kind {
        SchemaKind::Scenario => Some(json_schema()),
        SchemaKind::Network => model_schema(ModelKind::Network),
        SchemaKind::Platform => model_schema(ModelKind::Platform),
        SchemaKind::Workload => model_schema(ModelKind::Workload),
        SchemaKind::Policy => model_schema(ModelKind::Policy),
        SchemaKind::Reference => model_schema(ModelKind::Reference),
        SchemaKind::Sweep => Some(sweep_schema()),
        SchemaKind::Figure => Some(figure_schema()),
    };
    let schema = schema.expect("these kinds have schemas");
    print(&format!("{schema:#}\n"))
}
