"""Public regions of Azure, by name: what `az account list-locations` lists."""

from collections.abc import Mapping

LOCATIONS: Mapping[str, str] = {
    "australiacentral": "Australia Central", "australiaeast": "Australia East", "australiasoutheast": "Australia Southeast",
    "austriaeast": "Austria East", "brazilsouth": "Brazil South", "canadacentral": "Canada Central", "canadaeast": "Canada East",
    "centralindia": "Central India", "centralus": "Central US", "eastasia": "East Asia", "eastus": "East US", "eastus2": "East US 2",
    "francecentral": "France Central", "germanywestcentral": "Germany West Central", "israelcentral": "Israel Central",
    "italynorth": "Italy North", "japaneast": "Japan East", "japanwest": "Japan West", "koreacentral": "Korea Central",
    "koreasouth": "Korea South", "mexicocentral": "Mexico Central", "newzealandnorth": "New Zealand North",
    "northcentralus": "North Central US", "northeurope": "North Europe", "norwayeast": "Norway East",
    "polandcentral": "Poland Central", "qatarcentral": "Qatar Central", "southafricanorth": "South Africa North",
    "southcentralus": "South Central US", "southindia": "South India", "southeastasia": "Southeast Asia",
    "spaincentral": "Spain Central", "swedencentral": "Sweden Central", "switzerlandnorth": "Switzerland North",
    "uaenorth": "UAE North", "uksouth": "UK South", "ukwest": "UK West", "westcentralus": "West Central US",
    "westeurope": "West Europe", "westindia": "West India", "westus": "West US", "westus2": "West US 2", "westus3": "West US 3",
}  # fmt: skip
